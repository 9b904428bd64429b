-- provision: VPN servers of profiles (docs/openvpn.md).
ALTER TABLE provision.vpn_server ADD COLUMN profile_id uuid;
ALTER TABLE provision.vpn_server ADD CONSTRAINT vpn_server_profile
	FOREIGN KEY (tenant_id, profile_id) REFERENCES provision.profile (tenant_id, id);
