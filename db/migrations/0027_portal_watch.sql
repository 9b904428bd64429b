-- provision: what an operator should know of the portal before it hurts (docs/packages.md).

-- legacy_warned: the legacy_until that was warned of. trust_percent: a new root becomes active when at least this
-- share of the devices that use a package has it beside the old one.
ALTER TABLE provision.portal ADD COLUMN legacy_warned timestamptz;
ALTER TABLE provision.portal ADD COLUMN trust_percent integer NOT NULL DEFAULT 0 CHECK (trust_percent BETWEEN 0 AND 100);
CREATE INDEX portal_legacy ON provision.portal (legacy_until) WHERE legacy_until IS NOT NULL;
