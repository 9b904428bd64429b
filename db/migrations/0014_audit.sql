-- provision: who did what to whom, and when (docs/provisioning.md). Records are added and read, nothing else: the
-- service's own role can neither change nor remove them.
CREATE TABLE provision.audit (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	actor text NOT NULL,
	action text NOT NULL,
	subject text NOT NULL,
	before text NOT NULL,
	after text NOT NULL,
	package integer NOT NULL,
	source text NOT NULL,
	trace text NOT NULL,
	PRIMARY KEY (tenant_id, id)
);
CREATE INDEX audit_subject ON provision.audit (tenant_id, subject, id);
CALL fabric.isolate('provision.audit');
REVOKE UPDATE, DELETE, TRUNCATE ON provision.audit FROM lanyard_provision;
