-- dns: zones, the names that devices hold in them, and what PowerDNS keeps with us (docs/names.md).
--
-- Every instance of the service answers PowerDNS from a copy in memory. It reads again what has changed
-- since its last look by the columns `changed`, and what has gone by the table `gone`.

CREATE TABLE dns.zone (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	name text COLLATE "C" NOT NULL CONSTRAINT zone_once UNIQUE,
	number integer NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE, -- what PowerDNS calls it by
	open boolean NOT NULL DEFAULT false, -- may strangers register names in it
	members boolean NOT NULL DEFAULT false, -- it holds the names of members
	created_at timestamptz NOT NULL DEFAULT now(),
	changed xid8 NOT NULL DEFAULT pg_current_xact_id(),
	PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ON dns.zone (changed);
CALL fabric.isolate('dns.zone');

-- The names of all zones, for tenants that hold a name in a zone of the fleet's.
CREATE VIEW dns.zone_name AS SELECT number, name, members FROM dns.zone;

-- Rises with each change of a record: the serial number of the zone's SOA record. `notified` is the one that
-- secondaries were last told of.
DROP TABLE dns.serial;
CREATE TABLE dns.serial (
	zone integer PRIMARY KEY REFERENCES dns.zone (number) ON DELETE CASCADE,
	serial bigint NOT NULL DEFAULT 1,
	notified bigint NOT NULL DEFAULT 0,
	changed xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX ON dns.serial (changed);

-- A name that a device holds: LABEL in the zone. Secrets are kept as keyed digests.
CREATE TABLE dns.registration (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	zone integer NOT NULL REFERENCES dns.zone (number),
	label text COLLATE "C" NOT NULL,
	device uuid, -- of the tenant; NULL: a stranger's
	kind text NOT NULL DEFAULT 'tunnel' CHECK (kind IN ('tunnel', 'dynamic', 'challenge')),
	description text NOT NULL,
	token text NOT NULL CONSTRAINT registration_token UNIQUE,
	reclamation text CONSTRAINT registration_reclamation UNIQUE,
	reclamation_until timestamptz,
	verification text CONSTRAINT registration_verification UNIQUE,
	verification_until timestamptz,
	email text COLLATE "C" NOT NULL DEFAULT '',
	verified boolean NOT NULL DEFAULT false,
	optout boolean NOT NULL DEFAULT false,
	account text NOT NULL DEFAULT '', -- URI of the ACME account that alone may get certificates
	local_ips text[] NOT NULL DEFAULT '{}',
	public_ip inet,
	live boolean NOT NULL DEFAULT true, -- heard from lately; else it has no addresses and no tunnel
	seen_at timestamptz NOT NULL DEFAULT now(),
	warned_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	changed xid8 NOT NULL DEFAULT pg_current_xact_id(),
	PRIMARY KEY (tenant_id, id),
	CONSTRAINT registration_label UNIQUE (zone, label)
);
CREATE INDEX ON dns.registration (changed);
CREATE INDEX ON dns.registration (seen_at);
CREATE INDEX ON dns.registration (public_ip);
CALL fabric.isolate('dns.registration');

CREATE TABLE dns.challenge (
	tenant_id uuid NOT NULL,
	registration uuid NOT NULL,
	value text COLLATE "C" NOT NULL,
	expires_at timestamptz NOT NULL,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (tenant_id, registration, value),
	FOREIGN KEY (tenant_id, registration) REFERENCES dns.registration ON DELETE CASCADE
);
CREATE INDEX ON dns.challenge (expires_at);
CALL fabric.isolate('dns.challenge');

-- A word by which others find a name in the network of its owner (the registration API of 2017).
CREATE TABLE dns.discovery (
	tenant_id uuid NOT NULL,
	registration uuid NOT NULL,
	word text COLLATE "C" NOT NULL CONSTRAINT discovery_word UNIQUE,
	PRIMARY KEY (tenant_id, registration),
	FOREIGN KEY (tenant_id, registration) REFERENCES dns.registration ON DELETE CASCADE
);
CALL fabric.isolate('dns.discovery');

-- Mail that is still to be sent; its text is sealed, as it may hold a secret.
CREATE TABLE dns.mail (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	recipient text NOT NULL,
	subject text NOT NULL,
	sealed text NOT NULL,
	tries integer NOT NULL DEFAULT 0,
	due_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ON dns.mail (due_at);
CALL fabric.isolate('dns.mail');

-- What PowerDNS keeps with us of a zone: keys of DNSSEC, sealed, and settings.
CREATE TABLE dns.zone_key (
	zone integer NOT NULL REFERENCES dns.zone (number) ON DELETE CASCADE,
	id integer NOT NULL GENERATED ALWAYS AS IDENTITY,
	flags integer NOT NULL,
	active boolean NOT NULL,
	published boolean NOT NULL,
	sealed text NOT NULL,
	PRIMARY KEY (zone, id)
);
CREATE TABLE dns.zone_metadata (
	zone integer NOT NULL REFERENCES dns.zone (number) ON DELETE CASCADE,
	kind text NOT NULL,
	value text[] NOT NULL,
	PRIMARY KEY (zone, kind)
);
CREATE TABLE dns.tsig_key (
	name text COLLATE "C" PRIMARY KEY,
	algorithm text NOT NULL,
	sealed text NOT NULL
);

ALTER TABLE dns.name ADD changed xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX ON dns.name (changed);

CREATE TABLE dns.gone (
	id uuid NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	changed xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX ON dns.gone (changed);
CREATE INDEX ON dns.gone (at);

CREATE FUNCTION dns.bury() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO dns.gone (id) VALUES (OLD.id);
	RETURN NULL;
END
$$;
CREATE TRIGGER bury AFTER DELETE ON dns.zone FOR EACH ROW EXECUTE FUNCTION dns.bury();
CREATE TRIGGER bury AFTER DELETE ON dns.registration FOR EACH ROW EXECUTE FUNCTION dns.bury();
CREATE TRIGGER bury AFTER DELETE ON dns.name FOR EACH ROW EXECUTE FUNCTION dns.bury();
