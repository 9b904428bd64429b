-- provision: how the devices of a tenant speak the protocol of the portal, where it is not public (docs/packages.md).
ALTER TABLE provision.portal
	ADD COLUMN auth_type integer NOT NULL DEFAULT 0 CHECK (auth_type BETWEEN 0 AND 9),
	ADD COLUMN xml_prolog boolean NOT NULL DEFAULT true,
	ADD COLUMN status_after_ack boolean NOT NULL DEFAULT false,
	ADD COLUMN learn boolean NOT NULL DEFAULT false;
