-- auth: other sites whose people a tenant lets in (docs/eduvpn.md).

CREATE TABLE auth.federation (
	tenant_id uuid PRIMARY KEY REFERENCES auth.tenant,
	public_key text NOT NULL, -- of who signs the list
	seq bigint NOT NULL,
	updated_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1
);
CALL fabric.isolate('auth.federation');

CREATE TABLE auth.trusted_instance (
	tenant_id uuid NOT NULL REFERENCES auth.federation ON DELETE CASCADE,
	host text NOT NULL,
	base_uri text NOT NULL,
	public_key text NOT NULL,
	PRIMARY KEY (tenant_id, host)
);
CALL fabric.isolate('auth.trusted_instance');

-- Which user a person of another site is here.
CREATE TABLE auth.guest (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	host text NOT NULL,
	subject text NOT NULL,
	user_id uuid NOT NULL,
	seen_at timestamptz NOT NULL DEFAULT now(), -- to the hour
	PRIMARY KEY (tenant_id, host, subject),
	FOREIGN KEY (tenant_id, user_id) REFERENCES auth."user" ON DELETE CASCADE
);
CREATE INDEX ON auth.guest (tenant_id, user_id);
CREATE INDEX ON auth.guest (seen_at);
CALL fabric.isolate('auth.guest');
