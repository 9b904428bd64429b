-- provision: more of how the devices of a tenant speak the protocol of the portal (docs/packages.md).

-- update_interval_s: until the next poll of a device that was told of a package for the first time. Devices that are
-- disabled go on as before in tenants that there are. dir: what {{dir}} of the template is, with the slash at its end.
-- file_names, vpn_copies: of the files in an archive. A package keeps those that it was made with, as it keeps its digest.
ALTER TABLE provision.portal
	ADD COLUMN update_interval_s integer NOT NULL DEFAULT 10 CHECK (update_interval_s BETWEEN 10 AND 900),
	ADD COLUMN disabled_interval_s integer NOT NULL DEFAULT 900 CHECK (disabled_interval_s BETWEEN 10 AND 86400),
	ADD COLUMN dir text NOT NULL DEFAULT '' CHECK (length(dir) <= 128),
	ADD COLUMN file_names text NOT NULL DEFAULT 'ca.crt client.conf ta.key credentials'
		CHECK (length(file_names) <= 131),
	ADD COLUMN vpn_copies boolean NOT NULL DEFAULT false;
UPDATE provision.portal SET disabled_interval_s = interval_s;
ALTER TABLE provision.package
	ADD COLUMN file_names text NOT NULL DEFAULT 'ca.crt client.conf ta.key credentials'
		CHECK (length(file_names) <= 131),
	ADD COLUMN vpn_copies boolean NOT NULL DEFAULT false;
