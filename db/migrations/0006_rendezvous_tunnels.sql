-- rendezvous: clients that wait say so again and again, pairs count their bytes, and tunnel servers
-- are known by the node that holds their connection.

ALTER TABLE rendezvous.pair
	ADD announced_at timestamptz NOT NULL DEFAULT now(), -- when the first client's node last claimed
	ADD bytes bigint NOT NULL DEFAULT 0;                 -- that both clients sent

DROP INDEX rendezvous.pair_waiting;
CREATE INDEX pair_waiting ON rendezvous.pair (tenant_id, announced_at) WHERE state = 'waiting';

-- What the pairs of a tenant have carried, by day in UTC: what is billed, and what a quota would be of.
CREATE TABLE rendezvous.traffic (
	tenant_id uuid NOT NULL,
	day date NOT NULL,
	connections bigint NOT NULL DEFAULT 0,
	bytes bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (tenant_id, day)
);

CALL fabric.isolate('rendezvous.traffic');

-- A server whose one connection carries many clients. `server` is the UUID that its clients know.
CREATE TABLE rendezvous.tunnel_server (
	tenant_id uuid NOT NULL,
	server uuid NOT NULL,
	name text NOT NULL,
	node uuid NOT NULL,
	connection text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	announced_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, server)
);

CALL fabric.isolate('rendezvous.tunnel_server');
