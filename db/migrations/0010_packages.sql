-- provision: devices that fetch their VPN files from the portal, and the packages made for them (docs/packages.md).

-- What a tenant has decided for all of its portal devices. ta_key is sealed. legacy_until: until then the password
-- MD5(serial) is taken from devices that were registered for it.
CREATE TABLE provision.portal (
	tenant_id uuid PRIMARY KEY,
	host text CHECK (host = lower(host)),
	client_conf text NOT NULL DEFAULT '',
	ta_key text NOT NULL DEFAULT '',
	interval_s integer NOT NULL DEFAULT 900 CHECK (interval_s BETWEEN 10 AND 86400),
	disable_code integer NOT NULL DEFAULT 0 CHECK (disable_code IN (0, 1)),
	strict boolean NOT NULL DEFAULT false,
	one_shot boolean NOT NULL DEFAULT false,
	legacy_until timestamptz,
	version bigint NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX portal_host ON provision.portal (host);
CALL fabric.isolate('provision.portal');

-- Versions are those of provision.package; 0: none. current is what we want the device to have, announced what it was
-- last told of, delivered what it last fetched, acknowledged what it says it uses, good the last one with which it
-- was seen in the VPN, bad one that was taken back.
CREATE TABLE provision.portal_device (
	tenant_id uuid NOT NULL,
	device_id uuid NOT NULL,
	serial text NOT NULL CHECK (serial ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
	legacy boolean NOT NULL,
	current integer NOT NULL DEFAULT 0,
	announced integer NOT NULL DEFAULT 0,
	announced_at timestamptz,
	delivered integer NOT NULL DEFAULT 0,
	delivered_at timestamptz,
	acknowledged integer NOT NULL DEFAULT 0,
	acknowledged_at timestamptz,
	good integer NOT NULL DEFAULT 0,
	seen_at timestamptz,
	bad integer NOT NULL DEFAULT 0,
	unanswered integer NOT NULL DEFAULT 0,
	polled_at timestamptz,
	source text NOT NULL DEFAULT '',
	created_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, device_id),
	CONSTRAINT portal_device_serial UNIQUE (tenant_id, serial),
	FOREIGN KEY (tenant_id, device_id) REFERENCES provision.device
);
CREATE INDEX portal_device_any_serial ON provision.portal_device (serial);
CALL fabric.isolate('provision.portal_device');

-- Never changed once made. files: the members of the archive, sealed. password is the digest of the one in
-- credentials, certificate_serial the certificate in client.conf.
CREATE TABLE provision.package (
	tenant_id uuid NOT NULL,
	device_id uuid NOT NULL,
	number integer NOT NULL CHECK (number > 0),
	files text NOT NULL,
	md5_ca_cert text NOT NULL,
	md5_client_conf text NOT NULL,
	md5_ta_key text NOT NULL,
	md5_credentials text NOT NULL,
	sha256 text NOT NULL,
	password text NOT NULL,
	certificate_serial text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, device_id, number),
	FOREIGN KEY (tenant_id, device_id) REFERENCES provision.portal_device ON DELETE CASCADE
);
CALL fabric.isolate('provision.package');
