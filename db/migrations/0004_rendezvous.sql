-- rendezvous: pairs: two clients that showed one token with one nonce.

CALL fabric.add_service('rendezvous');

CREATE TABLE rendezvous.pair (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	token_id text NOT NULL,
	nonce text NOT NULL,
	state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'joined', 'closed')),
	first_node uuid NOT NULL,
	first_connection text NOT NULL,
	second_node uuid,
	second_connection text,
	created_at timestamptz NOT NULL DEFAULT now(),
	joined_at timestamptz,
	closed_at timestamptz,
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id),
	CHECK (state <> 'joined' OR (second_node IS NOT NULL AND second_connection IS NOT NULL))
);

-- One live pair of a token and nonce: what decides between claims that come at the same moment.
CREATE UNIQUE INDEX pair_live ON rendezvous.pair (tenant_id, token_id, nonce) WHERE state <> 'closed';
CREATE INDEX pair_waiting ON rendezvous.pair (tenant_id, created_at) WHERE state = 'waiting';
CREATE INDEX pair_joined ON rendezvous.pair (joined_at) WHERE state = 'joined';
CREATE INDEX pair_closed ON rendezvous.pair (closed_at) WHERE state = 'closed';

CALL fabric.isolate('rendezvous.pair');

-- Is the node running? Its heartbeat in fabric.instance says so for ten seconds.
CREATE FUNCTION rendezvous.alive(node uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT EXISTS (SELECT FROM fabric.instance
		WHERE id = node AND heartbeat_at > now() - interval '10 seconds')
$$;
