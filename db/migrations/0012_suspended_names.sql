-- dns: a name whose device is blocked, or whose tenant is suspended, is kept but not answered for, and its token
-- opens nothing until the event "resumed".

ALTER TABLE dns.registration
	ADD blocked boolean NOT NULL DEFAULT false,
	ADD tenant_suspended boolean NOT NULL DEFAULT false,
	ADD suspended boolean NOT NULL GENERATED ALWAYS AS (blocked OR tenant_suspended) STORED;
CREATE INDEX ON dns.registration (tenant_id, device);

-- The token once more, sealed, if the operator wants PageKite, whose clients sign with it.
ALTER TABLE dns.registration ADD kite text;
