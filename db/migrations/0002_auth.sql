-- auth: tenants, who belongs to them, the secrets they show, and the keys that sign tokens (docs/tokens.md).

CALL fabric.add_service('auth');

CREATE TABLE auth.tenant (
	id uuid PRIMARY KEY DEFAULT fabric.uuid7(),
	name text NOT NULL CONSTRAINT tenant_name UNIQUE,
	state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended')),
	created_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1
);
ALTER TABLE auth.tenant ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON auth.tenant USING (fabric.visible(id)) WITH CHECK (fabric.visible(id));

CREATE TABLE auth."user" (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	name text NOT NULL,
	role text NOT NULL CHECK (role IN ('owner', 'admin', 'operator', 'auditor', 'member')),
	state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'blocked')),
	password text NOT NULL, -- argon2id, with its parameters and salt
	created_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id),
	CONSTRAINT user_name UNIQUE (tenant_id, name)
);
CALL fabric.isolate('auth."user"');

-- A digest is keyed with a key that is not in the database: a copy of a table opens nothing.
CREATE TABLE auth.api_key (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	id uuid NOT NULL,
	name text NOT NULL,
	role text NOT NULL CHECK (role IN ('owner', 'admin', 'operator', 'auditor', 'member')),
	scopes text[] NOT NULL, -- empty: all of the role
	digest bytea NOT NULL,
	expires_at timestamptz,
	last_used_at timestamptz, -- to the minute
	created_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id),
	CONSTRAINT api_key_name UNIQUE (tenant_id, name)
);
CALL fabric.isolate('auth.api_key');

CREATE TABLE auth.enrolment_key (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	id uuid NOT NULL,
	name text NOT NULL,
	network uuid,
	tags text[] NOT NULL,
	max_uses bigint NOT NULL, -- 0: no limit
	uses bigint NOT NULL DEFAULT 0,
	approve boolean NOT NULL,
	state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'revoked')),
	digest bytea NOT NULL,
	expires_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id),
	CONSTRAINT enrolment_key_name UNIQUE (tenant_id, name),
	CONSTRAINT enrolment_key_uses CHECK (max_uses = 0 OR uses <= max_uses)
);
CALL fabric.isolate('auth.enrolment_key');

CREATE TABLE auth.device_secret (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	device uuid NOT NULL,
	digest bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, device),
	CONSTRAINT device_of_one_tenant UNIQUE (device)
);
CALL fabric.isolate('auth.device_secret');

-- Keys of the whole fleet. One signs from active_from until retired_at, and verifies until the last
-- token that it signed is over.
CREATE TABLE auth.signing_key (
	id uuid PRIMARY KEY,
	sealed bytea NOT NULL, -- the private key, under a key that is not in the database
	public_jwk text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	active_from timestamptz NOT NULL,
	retired_at timestamptz
);
CREATE INDEX ON auth.signing_key (active_from);

-- Role and scopes of who acts on a tenant: one of its own users and API keys, or one of the fleet's, whose
-- rows a transaction of that tenant doesn't see.
CREATE FUNCTION auth.authority(actor text, tenant uuid) RETURNS TABLE (role text, scopes text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = auth, pg_temp AS $$
	WITH home (tenant_id) AS (VALUES (tenant), ('00000000-0000-7000-8000-000000000000'))
	SELECT "user".role, '{}'::text[] FROM "user" JOIN home USING (tenant_id)
		WHERE state = 'active' AND "user".id =
			CASE WHEN actor LIKE 'user:%' THEN substr(actor, 6)::uuid END
	UNION ALL
	SELECT api_key.role, api_key.scopes FROM api_key JOIN home USING (tenant_id)
		WHERE (expires_at IS NULL OR expires_at > now()) AND api_key.id =
			CASE WHEN actor LIKE 'api_key:%' THEN substr(actor, 9)::uuid END
$$;
