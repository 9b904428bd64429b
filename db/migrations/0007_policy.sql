-- What the ports of members and networks may do (docs/dataplane.md). A member without a MAC address uses the
-- one of its first frame.

ALTER TABLE provision.network
	ADD no_broadcast boolean NOT NULL DEFAULT false,
	ADD no_multicast boolean NOT NULL DEFAULT false,
	ADD storm_frames bigint NOT NULL DEFAULT 2000 CHECK (storm_frames BETWEEN 0 AND 1000000),
	ADD storm_bytes bigint NOT NULL DEFAULT 2500000 CHECK (storm_bytes BETWEEN 0 AND 1000000000);

-- policy_version rises when a session with the policy of before must not go on.
ALTER TABLE provision.member
	ALTER mac DROP NOT NULL,
	ADD mac_limit integer NOT NULL DEFAULT 1 CHECK (mac_limit BETWEEN 1 AND 4096),
	ADD bridge boolean NOT NULL DEFAULT false,
	ADD isolated boolean NOT NULL DEFAULT false,
	ADD dhcp_server boolean NOT NULL DEFAULT false,
	ADD router boolean NOT NULL DEFAULT false,
	ADD address_guard boolean NOT NULL DEFAULT false,
	ADD policy_version bigint NOT NULL DEFAULT 1,
	ADD CHECK (mac_limit >= 2 OR NOT bridge);
