-- provision: VPN profiles, the certificates of people's apps, and what people are told (docs/eduvpn.md).

-- translations are LANGUAGE=TEXT. tls_crypt is sealed under the keys of LANYARD_PROVISION_KEY_FILE.
CREATE TABLE provision.profile (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	profile_id text NOT NULL,
	network_id uuid NOT NULL,
	display_name text NOT NULL,
	translations text[] NOT NULL,
	groups text[] NOT NULL,
	host text NOT NULL,
	ports text[] NOT NULL,
	mode text NOT NULL CHECK (mode IN ('tun', 'tap')),
	default_gateway boolean NOT NULL,
	routes text[] NOT NULL,
	dns text[] NOT NULL,
	search_domains text[] NOT NULL,
	two_factor boolean NOT NULL,
	lifetime_s integer NOT NULL CHECK (lifetime_s >= 0),
	tls_crypt text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id),
	CONSTRAINT profile_name UNIQUE (tenant_id, profile_id),
	CONSTRAINT profile_network FOREIGN KEY (tenant_id, network_id) REFERENCES provision.network
);
CALL fabric.isolate('provision.profile');

CREATE TABLE provision.app_settings (
	tenant_id uuid PRIMARY KEY,
	max_configurations integer NOT NULL DEFAULT 3 CHECK (max_configurations >= 0),
	version bigint NOT NULL DEFAULT 1
);
CALL fabric.isolate('provision.app_settings');

-- A revocation list has only what was revoked in a way that is to be listed: certificates of apps come and go
-- with each connection, and VPN servers ask about them.
ALTER TABLE provision.certificate ADD COLUMN listed boolean NOT NULL DEFAULT true;

-- Which app a certificate of a user is for. profile_id is empty when it is good for every profile (API 2), else the
-- name of the one (API 3).
CREATE TABLE provision.app_certificate (
	tenant_id uuid NOT NULL,
	certificate_id uuid NOT NULL,
	user_id uuid NOT NULL,
	authorization_id uuid NOT NULL,
	client_id text NOT NULL,
	profile_id text NOT NULL,
	PRIMARY KEY (tenant_id, certificate_id),
	FOREIGN KEY (tenant_id, certificate_id) REFERENCES provision.certificate ON DELETE CASCADE
);
CREATE INDEX ON provision.app_certificate (tenant_id, authorization_id);
CREATE INDEX ON provision.app_certificate (tenant_id, user_id);
CALL fabric.isolate('provision.app_certificate');

-- user_id NULL: for everybody of the tenant.
CREATE TABLE provision.notice (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	user_id uuid,
	kind text NOT NULL CHECK (kind IN ('notification', 'motd', 'maintenance')),
	message text NOT NULL,
	translations text[] NOT NULL,
	begins_at timestamptz,
	ends_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id),
	CHECK ((kind = 'maintenance') = (begins_at IS NOT NULL AND ends_at IS NOT NULL)),
	CHECK (begins_at < ends_at)
);
CREATE INDEX ON provision.notice (tenant_id, user_id, id);
CREATE INDEX ON provision.notice (created_at) WHERE user_id IS NOT NULL;
CALL fabric.isolate('provision.notice');
