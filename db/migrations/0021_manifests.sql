-- provision: packages for agents, described by manifests that the tenant has signed (docs/packages.md).

-- agent_settings: JSON for the agent's own file in a package.
ALTER TABLE provision.portal ADD COLUMN agent_settings text NOT NULL DEFAULT '';

-- manifest rises whenever current changes. failure: why the device could not use `bad`; '' if it did not say.
ALTER TABLE provision.portal_device ADD COLUMN manifest bigint NOT NULL DEFAULT 1;
ALTER TABLE provision.portal_device ADD COLUMN failed_at timestamptz;
ALTER TABLE provision.portal_device ADD COLUMN failure text NOT NULL DEFAULT '';

CREATE FUNCTION provision.count_manifest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.manifest := OLD.manifest + 1;
	RETURN NEW;
END $$;
CREATE TRIGGER count_manifest BEFORE UPDATE ON provision.portal_device
	FOR EACH ROW WHEN (NEW.current <> OLD.current) EXECUTE FUNCTION provision.count_manifest();

-- Who signs a tenant's manifests: a certificate of its issuing authority, for this and nothing else.
CREATE TABLE provision.signer (
	tenant_id uuid PRIMARY KEY,
	authority_id uuid NOT NULL,
	certificate text NOT NULL,
	sealed_key text NOT NULL,
	not_after timestamptz NOT NULL,
	FOREIGN KEY (tenant_id, authority_id) REFERENCES provision.authority
);
CALL fabric.isolate('provision.signer');
