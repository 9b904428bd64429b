-- dns: the names of members.

CALL fabric.add_service('dns');

CREATE TABLE dns.name (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL, -- the member's
	name text COLLATE "C" NOT NULL, -- DEVICE.NETWORK.TENANT; the service adds the zone
	-- Backwards, so that all names below NETWORK.TENANT or TENANT are one range of an index. Stored,
	-- since an expression of reverse() is not leakproof and so no index serves it under row security.
	backwards text COLLATE "C" NOT NULL GENERATED ALWAYS AS (reverse(name)) STORED,
	network uuid NOT NULL,
	device uuid NOT NULL,
	ipv4 inet,
	ipv6 inet,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id),
	UNIQUE (name)
);
CREATE INDEX name_backwards ON dns.name (backwards);

CALL fabric.isolate('dns.name');

-- Rises with each change of a name: the serial number of the zone's SOA record.
CREATE TABLE dns.serial (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	serial bigint NOT NULL DEFAULT 1
);
INSERT INTO dns.serial DEFAULT VALUES;
