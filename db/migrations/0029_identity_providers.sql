-- auth: people may sign in at an identity provider of their tenant (docs/identity-providers.md).

CREATE TABLE auth.identity_provider (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	name text NOT NULL, -- on the button
	issuer text NOT NULL,
	client_id text NOT NULL,
	client_secret text NOT NULL, -- sealed
	user_claim text NOT NULL,
	group_claim text NOT NULL, -- '': groups and roles are not the provider's to say
	default_role text NOT NULL CHECK (default_role IN ('', 'owner', 'admin', 'operator', 'auditor', 'member')),
	role_groups text[] NOT NULL, -- who is in the n-th group has the n-th role; the first that fits
	roles text[] NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id),
	CONSTRAINT identity_provider_name UNIQUE (tenant_id, name),
	CONSTRAINT identity_provider_issuer UNIQUE (tenant_id, issuer)
);
CALL fabric.isolate('auth.identity_provider');

-- Which user a subject of an issuer is. It stays when the provider is registered anew.
CREATE TABLE auth.identity (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	issuer text NOT NULL,
	subject text NOT NULL,
	user_id uuid NOT NULL,
	PRIMARY KEY (tenant_id, issuer, subject),
	FOREIGN KEY (tenant_id, user_id) REFERENCES auth."user" ON DELETE CASCADE
);
CREATE INDEX ON auth.identity (tenant_id, user_id);
CALL fabric.isolate('auth.identity');

-- A browser that was sent to a provider and has not come back yet.
CREATE TABLE auth.provider_visit (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	id uuid NOT NULL,
	provider_id uuid NOT NULL,
	digest bytea NOT NULL, -- of the browser's secret; its hex digits are the state
	nonce text NOT NULL,
	verifier text NOT NULL, -- sealed
	target text NOT NULL, -- where the person wanted to go
	expires_at timestamptz NOT NULL,
	PRIMARY KEY (tenant_id, id),
	FOREIGN KEY (tenant_id, provider_id) REFERENCES auth.identity_provider ON DELETE CASCADE
);
CREATE INDEX ON auth.provider_visit (expires_at);
CALL fabric.isolate('auth.provider_visit');
