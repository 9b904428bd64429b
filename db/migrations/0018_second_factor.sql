-- auth: what people show beside their password (docs/sign-in.md).

CREATE TABLE auth.totp (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	user_id uuid NOT NULL,
	sealed text NOT NULL, -- the secret, under a key that is not in the database
	last_step bigint NOT NULL, -- of the newest code that was taken: it and older ones never are again
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, user_id),
	FOREIGN KEY (tenant_id, user_id) REFERENCES auth."user" ON DELETE CASCADE
);
CALL fabric.isolate('auth.totp');

-- Codes that were tried in the last minutes, right or wrong, as keyed digests.
CREATE TABLE auth.code_attempt (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	user_id uuid NOT NULL,
	digest bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, user_id, digest),
	FOREIGN KEY (tenant_id, user_id) REFERENCES auth."user" ON DELETE CASCADE
);
CREATE INDEX ON auth.code_attempt (created_at);
CALL fabric.isolate('auth.code_attempt');

CREATE TABLE auth.recovery_code (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	user_id uuid NOT NULL,
	digest bytea NOT NULL,
	used_at timestamptz,
	PRIMARY KEY (tenant_id, user_id, digest),
	FOREIGN KEY (tenant_id, user_id) REFERENCES auth."user" ON DELETE CASCADE
);
CALL fabric.isolate('auth.recovery_code');
