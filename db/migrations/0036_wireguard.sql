-- provision: WireGuard for people's apps (docs/wireguard.md).
ALTER TABLE provision.profile ADD COLUMN protocols text[] NOT NULL DEFAULT '{openvpn}';
ALTER TABLE provision.vpn_server
	ADD COLUMN kind text NOT NULL DEFAULT 'openvpn' CHECK (kind IN ('openvpn', 'wireguard')),
	ADD COLUMN public_key text NOT NULL DEFAULT '';

-- What an app may connect with, until it ends. host is the number that it has taken from the network until then. set_at:
-- since when the server lets it in. judge: what its user may is to be looked up, since it may have changed. bytes are those of the server's interface.
CREATE TABLE provision.wireguard_peer (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	server_id uuid NOT NULL,
	network_id uuid NOT NULL,
	user_id uuid NOT NULL,
	authorization_id uuid NOT NULL,
	profile_id text NOT NULL,
	public_key text NOT NULL,
	host bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	ended_at timestamptz,
	reason text NOT NULL DEFAULT '',
	set_at timestamptz,
	judge boolean NOT NULL DEFAULT true,
	handshake_at timestamptz,
	bytes_in bigint NOT NULL DEFAULT 0,
	bytes_out bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX wireguard_peer_key ON provision.wireguard_peer (tenant_id, public_key) WHERE ended_at IS NULL;
CREATE INDEX wireguard_peer_server ON provision.wireguard_peer (tenant_id, server_id, id) WHERE ended_at IS NULL;
CREATE INDEX wireguard_peer_user ON provision.wireguard_peer (tenant_id, user_id, id) WHERE ended_at IS NULL;
CREATE INDEX wireguard_peer_authorization ON provision.wireguard_peer (tenant_id, authorization_id, id);
CREATE INDEX wireguard_peer_judge ON provision.wireguard_peer (id) WHERE judge;
CREATE INDEX wireguard_peer_ended ON provision.wireguard_peer (ended_at);
CALL fabric.isolate('provision.wireguard_peer');
