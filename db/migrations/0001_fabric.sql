-- fabric: what all services share: who is alive, what happened, and the rules of every other schema.

CREATE SCHEMA fabric;

-- A UUID of version 7 (RFC 9562 section 5.7, with method 3 of section 6.2: twelve bits of the
-- microsecond): the order of ids is the order of creation.
CREATE FUNCTION fabric.uuid7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
	SELECT encode(
		overlay(uuid_send(gen_random_uuid())
			PLACING int8send(us / 1000 << 16 | 28672 | us % 1000 * 4096 / 1000)
			FROM 1 FOR 8),
		'hex')::uuid
	FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS us) AS now
$$;

-- RFC 3339 in UTC, the form of every time in the API; NULL gives ''.
CREATE FUNCTION fabric.rfc3339(at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT coalesce(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '')
$$;

-- May the transaction see rows of this tenant? lib/db sets lanyard.tenant in each transaction: a
-- tenant's id, or '*' for calls that serve the whole fleet.
CREATE FUNCTION fabric.visible(tenant uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT current_setting('lanyard.tenant', true) = '*'
		OR tenant::text = current_setting('lanyard.tenant', true)
$$;

-- Row-level security for a table with a tenant_id.
CREATE PROCEDURE fabric.isolate(tab regclass) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tab);
	EXECUTE format('CREATE POLICY tenant ON %s USING (fabric.visible(tenant_id)) WITH CHECK (fabric.visible(tenant_id))', tab);
END
$$;

-- A role that may log in and see the fabric; its password is the operator's to set.
CREATE PROCEDURE fabric.add_role(service text) LANGUAGE plpgsql AS $$
DECLARE
	login text := 'lanyard_' || service;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = login) THEN
		EXECUTE format('CREATE ROLE %I LOGIN', login);
	END IF;
	EXECUTE format('GRANT USAGE ON SCHEMA fabric TO %I', login);
	EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON fabric.instance TO %I', login);
	EXECUTE format('GRANT SELECT, INSERT ON fabric.event TO %I', login);
END
$$;

-- A service with state: its role, its schema, and the two tables that lib/svc keeps in it.
CREATE PROCEDURE fabric.add_service(service text) LANGUAGE plpgsql AS $$
DECLARE
	login text := 'lanyard_' || service;
BEGIN
	CALL fabric.add_role(service);
	EXECUTE format('CREATE SCHEMA %I', service);
	EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', service, login);
	EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', service, login);
	EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT USAGE ON SEQUENCES TO %I', service, login);

	-- Replies of changes already made, found by a retry of the same call. `key` is a keyed digest and
	-- `reply` is sealed under the idempotency key itself, so that a copy of the table shows no secret.
	EXECUTE format('CREATE TABLE %I.idempotency (
		key bytea PRIMARY KEY,
		request bytea NOT NULL,
		reply bytea NOT NULL,
		created_at timestamptz NOT NULL DEFAULT now())', service);
	EXECUTE format('CREATE INDEX ON %I.idempotency (created_at)', service);

	-- How far the service has read the events (lib/event).
	EXECUTE format('CREATE TABLE %I.event_cursor (
		one boolean PRIMARY KEY DEFAULT true CHECK (one),
		transaction xid8 NOT NULL DEFAULT ''0'',
		id bigint NOT NULL DEFAULT 0)', service);
	EXECUTE format('INSERT INTO %I.event_cursor DEFAULT VALUES', service);
END
$$;

-- Every running process. A row is alive while its heartbeat is fresh.
CREATE TABLE fabric.instance (
	id uuid PRIMARY KEY,
	service text NOT NULL,
	url text NOT NULL,
	events_url text NOT NULL,
	started_at timestamptz NOT NULL DEFAULT now(),
	heartbeat_at timestamptz NOT NULL DEFAULT now()
);

-- What happened. Read in the order (transaction, id), and only below the oldest transaction that is
-- still open: so a consumer never passes over an event that commits late.
CREATE TABLE fabric.event (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
	created_at timestamptz NOT NULL DEFAULT now(),
	topic text NOT NULL,
	tenant_id uuid,
	body bytea NOT NULL
);
CREATE INDEX ON fabric.event (transaction, id);
CREATE INDEX ON fabric.event (created_at);

-- Events older than a week are dropped by whoever runs this; a consumer that was away for longer
-- reads the state itself (docs/bus.md).
CREATE PROCEDURE fabric.prune() LANGUAGE sql SECURITY DEFINER SET search_path = fabric AS $$
	DELETE FROM fabric.event WHERE created_at < now() - interval '7 days';
	DELETE FROM fabric.instance WHERE heartbeat_at < now() - interval '1 hour';
$$;

CALL fabric.add_role('gateway');
CALL fabric.add_role('dataplane');
