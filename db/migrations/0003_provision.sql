-- provision: networks, devices, and the members that tie them together (docs/provisioning.md).

CALL fabric.add_service('provision');

-- Makes uuid comparable in a gist index, for the two EXCLUDE constraints.
CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;

-- A member's addresses are the network's plus its host number, so one number gives both. last_host keeps
-- the broadcast address of IPv4 out, and 1 as the first keeps the network's own.
CREATE TABLE provision.network (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	name text NOT NULL,
	ipv4 cidr CHECK (family(ipv4) = 4 AND masklen(ipv4) BETWEEN 8 AND 30),
	ipv6 cidr NOT NULL CHECK (family(ipv6) = 6 AND masklen(ipv6) BETWEEN 64 AND 112),
	mtu integer NOT NULL CHECK (mtu BETWEEN 1280 AND 9000),
	last_host bigint NOT NULL GENERATED ALWAYS AS (least(
		(1::bigint << (32 - masklen(ipv4))) - 2,
		(1::bigint << least(128 - masklen(ipv6), 32)) - 1)) STORED,
	next_host bigint NOT NULL DEFAULT 1 CHECK (next_host BETWEEN 1 AND last_host + 1),
	created_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id),
	CONSTRAINT network_name UNIQUE (tenant_id, name),
	CONSTRAINT network_ipv4 EXCLUDE USING gist (tenant_id WITH =, ipv4 inet_ops WITH &&),
	CONSTRAINT network_ipv6 EXCLUDE USING gist (tenant_id WITH =, ipv6 inet_ops WITH &&)
);
CALL fabric.isolate('provision.network');

-- Host numbers below network.next_host that were given back: used again, the longest free one first,
-- once next_host has reached the end of the range.
CREATE TABLE provision.free_host (
	tenant_id uuid NOT NULL,
	network_id uuid NOT NULL,
	host bigint NOT NULL,
	freed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (tenant_id, network_id, host),
	FOREIGN KEY (tenant_id, network_id) REFERENCES provision.network ON DELETE CASCADE
);
CREATE INDEX ON provision.free_host (tenant_id, network_id, freed_at, host);
CALL fabric.isolate('provision.free_host');

CREATE TABLE provision.device (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	name text NOT NULL,
	state text NOT NULL CHECK (state IN ('pending', 'approved', 'blocked', 'retired')),
	tags text[] NOT NULL,
	enrolment_key_id uuid NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	attached_at timestamptz,
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX device_name ON provision.device (tenant_id, name) WHERE state <> 'retired';
CREATE INDEX device_any_name ON provision.device (tenant_id, name, id);
CREATE INDEX device_state ON provision.device (tenant_id, state, id);
CALL fabric.isolate('provision.device');

CREATE TABLE provision.member (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	network_id uuid NOT NULL,
	device_id uuid NOT NULL,
	host bigint NOT NULL CHECK (host > 0),
	mac macaddr NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id),
	CONSTRAINT member_host UNIQUE (tenant_id, network_id, host),
	CONSTRAINT member_mac UNIQUE (tenant_id, network_id, mac),
	CONSTRAINT member_device UNIQUE (tenant_id, device_id, network_id),
	CONSTRAINT member_network FOREIGN KEY (tenant_id, network_id) REFERENCES provision.network,
	FOREIGN KEY (tenant_id, device_id) REFERENCES provision.device
);
CREATE INDEX member_page ON provision.member (tenant_id, network_id, id);
CALL fabric.isolate('provision.member');
