-- provision: which node is the home of a network (docs/nodes.md). A row without a fresh lease is kept for its epoch.

CREATE TABLE provision.home (
	tenant_id uuid NOT NULL,
	network_id uuid NOT NULL,
	node uuid NOT NULL,
	name text NOT NULL,
	epoch bigint NOT NULL CHECK (epoch > 0),
	expires_at timestamptz NOT NULL,
	PRIMARY KEY (tenant_id, network_id),
	CONSTRAINT home_network FOREIGN KEY (tenant_id, network_id) REFERENCES provision.network ON DELETE CASCADE
);
CALL fabric.isolate('provision.home');
