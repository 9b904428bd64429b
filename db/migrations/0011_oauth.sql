-- auth: the authorization server: sites, OAuth 2 clients, what people allowed them, and people's
-- sign-ins (docs/sign-in.md).

-- The host names under which people of a tenant sign in.
CREATE TABLE auth.site (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	name text NOT NULL CONSTRAINT site_name UNIQUE, -- the host, in small letters, without port
	created_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id)
);
CALL fabric.isolate('auth.site');

CREATE TABLE auth.oauth_client (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	id uuid NOT NULL,
	client_id text NOT NULL,
	name text NOT NULL,
	redirect_uris text[] NOT NULL,
	scopes text[] NOT NULL,
	digest bytea, -- of the secret; NULL: a public client
	approval boolean NOT NULL, -- people are asked before the client gets in
	created_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id),
	CONSTRAINT oauth_client_id UNIQUE (tenant_id, client_id)
);
CALL fabric.isolate('auth.oauth_client');

-- What a person allowed a client, with all tokens made of it. One that has ended stays until its time
-- is over, so that it can be told from one that never was.
CREATE TABLE auth.oauth_authorization (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	id uuid NOT NULL,
	user_id uuid NOT NULL,
	client_id text NOT NULL,
	scopes text[] NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	ended_at timestamptz,
	PRIMARY KEY (tenant_id, id),
	FOREIGN KEY (tenant_id, user_id) REFERENCES auth."user" ON DELETE CASCADE
);
CREATE INDEX ON auth.oauth_authorization (tenant_id, user_id);
CREATE INDEX ON auth.oauth_authorization (expires_at);
CALL fabric.isolate('auth.oauth_authorization');

-- A code becomes the authorization of the same id when it is exchanged. Used ones stay for a day.
CREATE TABLE auth.oauth_code (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	id uuid NOT NULL,
	user_id uuid NOT NULL,
	client_id text NOT NULL,
	redirect_uri text NOT NULL,
	scopes text[] NOT NULL,
	challenge text NOT NULL, -- S256; empty: a confidential client without PKCE
	digest bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	used_at timestamptz,
	PRIMARY KEY (tenant_id, id),
	FOREIGN KEY (tenant_id, user_id) REFERENCES auth."user" ON DELETE CASCADE
);
CREATE INDEX ON auth.oauth_code (expires_at);
CALL fabric.isolate('auth.oauth_code');

CREATE TABLE auth.oauth_refresh_token (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	id uuid NOT NULL,
	authorization_id uuid NOT NULL,
	digest bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	used_at timestamptz,
	successor uuid, -- the newest one that was given for it
	PRIMARY KEY (tenant_id, id),
	FOREIGN KEY (tenant_id, authorization_id) REFERENCES auth.oauth_authorization ON DELETE CASCADE
);
CREATE INDEX ON auth.oauth_refresh_token (tenant_id, authorization_id);
CALL fabric.isolate('auth.oauth_refresh_token');

-- A client without a browser waits until a person has typed the user code (RFC 8628).
CREATE TABLE auth.oauth_device_code (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	id uuid NOT NULL,
	user_code text NOT NULL,
	client_id text NOT NULL,
	scopes text[] NOT NULL,
	digest bytea NOT NULL,
	user_id uuid,
	state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'denied', 'used')),
	interval_s integer NOT NULL DEFAULT 5,
	polled_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	PRIMARY KEY (tenant_id, id),
	CONSTRAINT oauth_user_code UNIQUE (tenant_id, user_code),
	FOREIGN KEY (tenant_id, user_id) REFERENCES auth."user" ON DELETE CASCADE
);
CREATE INDEX ON auth.oauth_device_code (expires_at);
CALL fabric.isolate('auth.oauth_device_code');

-- A person's browser that has signed in.
CREATE TABLE auth.sign_in (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	id uuid NOT NULL,
	user_id uuid NOT NULL,
	digest bytea NOT NULL,
	address text NOT NULL,
	agent text NOT NULL, -- what the browser calls itself
	created_at timestamptz NOT NULL DEFAULT now(),
	seen_at timestamptz NOT NULL DEFAULT now(), -- to the minute
	expires_at timestamptz NOT NULL,
	PRIMARY KEY (tenant_id, id),
	FOREIGN KEY (tenant_id, user_id) REFERENCES auth."user" ON DELETE CASCADE
);
CREATE INDEX ON auth.sign_in (tenant_id, user_id);
CREATE INDEX ON auth.sign_in (expires_at);
CALL fabric.isolate('auth.sign_in');
