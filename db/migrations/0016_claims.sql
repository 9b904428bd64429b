-- provision: devices that are expected, and how they are claimed (docs/claiming.md).

-- A device that a tenant awaits. code is the digest of its claim code, NULL for none. device_id is what it became, or
-- while claimed_at is NULL the device that is to be handed over.
CREATE TABLE provision.expected_device (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	serial text NOT NULL CHECK (serial ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
	name text NOT NULL,
	network_id uuid,
	legacy boolean NOT NULL,
	approve boolean NOT NULL,
	code text,
	code_until timestamptz,
	device_id uuid,
	claimed_at timestamptz,
	claimed_by uuid,
	created_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id),
	CONSTRAINT expected_device_serial UNIQUE (tenant_id, serial)
);
CREATE INDEX expected_device_any_serial ON provision.expected_device (serial);
CALL fabric.isolate('provision.expected_device');

-- Two devices with one serial number come from two networks by turns. source_before is where the device polled from
-- before source, and source_changed_at when that changed.
ALTER TABLE provision.portal ADD COLUMN clone_guard boolean NOT NULL DEFAULT false;
ALTER TABLE provision.portal_device ADD COLUMN source_before text NOT NULL DEFAULT '';
ALTER TABLE provision.portal_device ADD COLUMN source_changed_at timestamptz;
ALTER TABLE provision.portal_device ADD COLUMN quarantined_at timestamptz;

-- The same /24 or /64; an address that is not known is in any network.
CREATE FUNCTION provision.same_network(one text, other text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
	SELECT one = '' OR other = '' OR one = other OR (family(one::inet) = family(other::inet)
		AND network(set_masklen(one::inet, CASE family(one::inet) WHEN 4 THEN 24 ELSE 64 END))
		= network(set_masklen(other::inet, CASE family(other::inet) WHEN 4 THEN 24 ELSE 64 END)))
$$;
