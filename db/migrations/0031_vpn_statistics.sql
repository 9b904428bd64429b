-- provision: how much VPN servers of profiles are used (docs/openvpn.md).

-- The profile by which a connection came, by its name, which outlives it; empty: by none.
ALTER TABLE provision.vpn_connection ADD COLUMN profile_id text NOT NULL DEFAULT '';
UPDATE provision.vpn_connection c SET profile_id = p.profile_id
	FROM provision.vpn_server s JOIN provision.profile p ON p.tenant_id = s.tenant_id AND p.id = s.profile_id
	WHERE s.tenant_id = c.tenant_id AND s.id = c.server_id;

-- What a connection had carried when a day of UTC began, beside that of its beginning. A day on which it was not
-- reported has no row: nothing was carried.
CREATE TABLE provision.vpn_midnight (
	tenant_id uuid NOT NULL,
	connection_id uuid NOT NULL,
	day date NOT NULL,
	bytes bigint NOT NULL,
	PRIMARY KEY (tenant_id, connection_id, day),
	FOREIGN KEY (tenant_id, connection_id) REFERENCES provision.vpn_connection ON DELETE CASCADE
);
CALL fabric.isolate('provision.vpn_midnight');
