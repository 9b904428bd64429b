-- provision: VPN servers and who connects to them (docs/openvpn.md).

-- run_id is the last start of the server: no other run of it may ask or report.
CREATE TABLE provision.vpn_server (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	device_id uuid NOT NULL,
	network_id uuid NOT NULL,
	host text NOT NULL,
	port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
	protocol text NOT NULL CHECK (protocol IN ('udp', 'tcp')),
	mode text NOT NULL CHECK (mode IN ('tap', 'tun')),
	max_clients integer NOT NULL CHECK (max_clients BETWEEN 1 AND 1000),
	run_id uuid,
	reported_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id),
	FOREIGN KEY (tenant_id, device_id) REFERENCES provision.device,
	CONSTRAINT vpn_server_network FOREIGN KEY (tenant_id, network_id) REFERENCES provision.network
);
CREATE INDEX vpn_server_device ON provision.vpn_server (tenant_id, device_id, id);
CALL fabric.isolate('provision.vpn_server');

-- Outlives its server, its network and its subject. host is the number that a user's connection has taken from the
-- network until its end; a device's is that of its member. gone: the server knows that it is over.
CREATE TABLE provision.vpn_connection (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	server_id uuid NOT NULL,
	run_id uuid NOT NULL,
	network_id uuid NOT NULL,
	kind text NOT NULL CHECK (kind IN ('device', 'user')),
	subject text NOT NULL,
	label text NOT NULL,
	serial text NOT NULL,
	host bigint,
	ipv4 inet,
	ipv6 inet,
	source text NOT NULL,
	started_at timestamptz NOT NULL DEFAULT now(),
	ended_at timestamptz,
	bytes_in bigint NOT NULL DEFAULT 0,
	bytes_out bigint NOT NULL DEFAULT 0,
	lost boolean NOT NULL DEFAULT false,
	banned boolean NOT NULL DEFAULT false,
	gone boolean NOT NULL DEFAULT false,
	PRIMARY KEY (tenant_id, id)
);
CREATE INDEX vpn_connection_run ON provision.vpn_connection (tenant_id, server_id) WHERE NOT gone;
CREATE INDEX vpn_connection_subject ON provision.vpn_connection (tenant_id, subject, id);
CREATE INDEX vpn_connection_ipv4 ON provision.vpn_connection (tenant_id, ipv4, id);
CREATE INDEX vpn_connection_ipv6 ON provision.vpn_connection (tenant_id, ipv6, id);
CREATE INDEX vpn_connection_started ON provision.vpn_connection (started_at);
CALL fabric.isolate('provision.vpn_connection');
