-- auth: groups of users, and how often a password may be guessed (docs/sign-in.md).

CREATE TABLE auth."group" (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	name text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id),
	CONSTRAINT group_name UNIQUE (tenant_id, name)
);
CALL fabric.isolate('auth."group"');

CREATE TABLE auth.group_member (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	group_id uuid NOT NULL,
	user_id uuid NOT NULL,
	PRIMARY KEY (tenant_id, group_id, user_id),
	FOREIGN KEY (tenant_id, group_id) REFERENCES auth."group" ON DELETE CASCADE,
	CONSTRAINT group_member_user FOREIGN KEY (tenant_id, user_id) REFERENCES auth."user" ON DELETE CASCADE
);
CREATE INDEX ON auth.group_member (tenant_id, user_id);
CALL fabric.isolate('auth.group_member');
