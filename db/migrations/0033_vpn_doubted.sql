-- provision: what a user has by being in a group ends with it, also a connection to a VPN server (docs/openvpn.md).

-- doubted: whether its user may still be here is to be looked up again, at the next report of its server.
ALTER TABLE provision.vpn_connection ADD COLUMN doubted boolean NOT NULL DEFAULT false;
