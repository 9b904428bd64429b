-- auth: wrong passwords are counted, and what a blocked user may still do (docs/sign-in.md).

ALTER TABLE auth.sign_in_policy ADD COLUMN blocked_users text NOT NULL DEFAULT 'open'
	CHECK (blocked_users IN ('open', 'closed'));

-- key is a keyed digest of whose passwords they were: of a name, or of a user with a browser or an address.
CREATE TABLE auth.password_failure (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	key bytea NOT NULL,
	failures integer NOT NULL DEFAULT 1,
	since timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, key)
);
CREATE INDEX ON auth.password_failure (since);
CALL fabric.isolate('auth.password_failure');

-- With which a user got in before; the digest is of what its cookie holds.
CREATE TABLE auth.known_browser (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	id uuid NOT NULL,
	user_id uuid NOT NULL,
	digest bytea NOT NULL,
	address text NOT NULL,
	seen_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id),
	FOREIGN KEY (tenant_id, user_id) REFERENCES auth."user" ON DELETE CASCADE
);
CREATE INDEX ON auth.known_browser (tenant_id, user_id, address);
CREATE INDEX ON auth.known_browser (seen_at);
CALL fabric.isolate('auth.known_browser');
