-- provision: the certificate authorities of each tenant and the certificates that they signed (docs/certificates.md).

-- sealed_key is sealed under the keys of LANYARD_PROVISION_KEY_FILE; NULL when the key is kept elsewhere or gone.
-- crl is the last revocation list that was signed.
CREATE TABLE provision.authority (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	kind text NOT NULL CHECK (kind IN ('root', 'issuing')),
	state text NOT NULL CHECK (state IN ('next', 'active', 'retiring', 'retired')),
	root_id uuid CHECK ((root_id IS NULL) = (kind = 'root')),
	certificate text NOT NULL,
	fingerprint text NOT NULL,
	sealed_key text CHECK (state <> 'retired' OR sealed_key IS NULL),
	not_before timestamptz NOT NULL,
	not_after timestamptz NOT NULL,
	crl text NOT NULL DEFAULT '',
	crl_number bigint NOT NULL DEFAULT 0,
	crl_this_update timestamptz,
	crl_next_update timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id),
	FOREIGN KEY (tenant_id, root_id) REFERENCES provision.authority
);
CREATE UNIQUE INDEX authority_active ON provision.authority (tenant_id, kind) WHERE state = 'active';
CREATE UNIQUE INDEX authority_next ON provision.authority (tenant_id, kind) WHERE state = 'next';
CREATE INDEX authority_crl ON provision.authority (crl_next_update) WHERE kind = 'issuing' AND state <> 'retired';
CALL fabric.isolate('provision.authority');

-- The serial is unique in the whole fleet, so that it tells the tenant of a certificate that was shown.
CREATE TABLE provision.certificate (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	serial text NOT NULL CHECK (serial ~ '^[0-9a-f]{32}$'),
	authority_id uuid NOT NULL,
	kind text NOT NULL CHECK (kind IN ('device', 'user', 'server')),
	subject text NOT NULL,
	label text NOT NULL,
	certificate text NOT NULL,
	not_before timestamptz NOT NULL,
	not_after timestamptz NOT NULL,
	revoked_at timestamptz,
	reason text NOT NULL DEFAULT '',
	created_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id),
	FOREIGN KEY (tenant_id, authority_id) REFERENCES provision.authority
);
CREATE UNIQUE INDEX certificate_serial ON provision.certificate (serial);
CREATE INDEX certificate_subject ON provision.certificate (tenant_id, subject, id);
CREATE INDEX certificate_revoked ON provision.certificate (tenant_id, authority_id) WHERE revoked_at IS NOT NULL;
CALL fabric.isolate('provision.certificate');
