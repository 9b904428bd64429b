-- The life of a tenant: people are invited, and a tenant that is deleted is gone from every schema when its time of
-- grace is over (docs/tenants.md).

-- deleting: nobody of it gets in, until delete_at it can be restored. erasing: nobody sees it any more.
ALTER TABLE auth.tenant
	DROP CONSTRAINT tenant_state_check,
	ADD CONSTRAINT tenant_state_check CHECK (state IN ('active', 'suspended', 'deleting', 'erasing')),
	ADD delete_at timestamptz,
	ADD CONSTRAINT tenant_delete_at CHECK ((delete_at IS NOT NULL) = (state IN ('deleting', 'erasing')));

-- A link by which a person becomes a user. The secret in it is kept as a keyed digest.
CREATE TABLE auth.invitation (
	tenant_id uuid NOT NULL REFERENCES auth.tenant,
	id uuid NOT NULL,
	name text NOT NULL, -- of the user to be
	role text NOT NULL CHECK (role IN ('owner', 'admin', 'operator', 'auditor', 'member')),
	site text NOT NULL,
	digest bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	accepted_at timestamptz,
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id),
	CONSTRAINT invitation_name UNIQUE (tenant_id, name)
);
CREATE INDEX ON auth.invitation (expires_at);
CALL fabric.isolate('auth.invitation');

-- What a service has still to erase of a tenant. Each takes its row away when it has nothing of the tenant any more.
CREATE TABLE fabric.erasure (
	tenant_id uuid NOT NULL,
	service text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, service)
);
CALL fabric.isolate('fabric.erasure');
GRANT SELECT, UPDATE, DELETE ON fabric.erasure TO lanyard_auth, lanyard_provision, lanyard_rendezvous, lanyard_dns;
GRANT INSERT ON fabric.erasure TO lanyard_auth;

-- The services with state.
CREATE VIEW fabric.stateful AS
	SELECT nspname::text AS service FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
	WHERE relname = 'event_cursor' AND relkind = 'r';
GRANT SELECT ON fabric.stateful TO lanyard_auth;

-- Deletes rows of a tenant that is being erased from the tables of the service's schema that have a tenant_id, those
-- that refer to others first, at most `batch` of each; false if more may be left. It reaches also what the service can
-- only add to, such as its audit records.
CREATE FUNCTION fabric.erase(service text, tenant uuid, batch integer) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tab regclass;
	n bigint;
BEGIN
	IF NOT pg_has_role(session_user, 'lanyard_' || service, 'MEMBER') OR NOT EXISTS (
		SELECT FROM fabric.erasure AS e WHERE e.tenant_id = tenant AND e.service = erase.service)
	THEN
		RAISE EXCEPTION 'the tenant % is not for % to erase', tenant, session_user;
	END IF;
	FOR tab IN
		WITH RECURSIVE own AS (
			SELECT pg_class.oid FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
			WHERE relnamespace = service::regnamespace AND relkind IN ('r', 'p')
				AND attname = 'tenant_id' AND NOT attisdropped
		), deep (oid, depth) AS (
			SELECT oid, 0 FROM own
			UNION ALL
			SELECT conrelid, depth + 1 FROM deep JOIN pg_constraint
				ON contype = 'f' AND confrelid = deep.oid AND conrelid <> confrelid
			WHERE depth < 32
		)
		SELECT oid FROM own JOIN deep USING (oid) GROUP BY oid ORDER BY max(depth) DESC, oid
	LOOP
		EXECUTE format('DELETE FROM %s WHERE ctid IN (SELECT ctid FROM %s WHERE tenant_id = $1 LIMIT $2)', tab, tab)
			USING tenant, batch;
		GET DIAGNOSTICS n = ROW_COUNT;
		IF n = batch THEN
			RETURN false;
		END IF;
	END LOOP;
	RETURN true;
END
$$;

-- Nobody needs to hear any more what happened to the tenant.
CREATE PROCEDURE fabric.forget(tenant uuid) LANGUAGE sql SECURITY DEFINER SET search_path = fabric, pg_temp AS $$
	DELETE FROM fabric.event WHERE tenant_id = tenant;
$$;
REVOKE ALL ON PROCEDURE fabric.forget(uuid) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE fabric.forget(uuid) TO lanyard_auth;
