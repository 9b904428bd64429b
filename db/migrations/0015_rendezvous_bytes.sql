-- rendezvous: what a pair that lives has carried is counted from time to time, and a node counts as alive
-- before its first heartbeat is written.

-- What each client has sent until now; pair.bytes is their sum.
ALTER TABLE rendezvous.pair
	ADD first_bytes bigint NOT NULL DEFAULT 0,
	ADD second_bytes bigint NOT NULL DEFAULT 0;

-- Is the node running? Its last heartbeat says so, or what it asked for at that time if it has none yet.
CREATE FUNCTION rendezvous.alive(node uuid, heard_at timestamptz, age interval) RETURNS boolean
	LANGUAGE sql STABLE AS $$
	SELECT coalesce((SELECT heartbeat_at FROM fabric.instance WHERE id = node), heard_at) > now() - age
$$;
