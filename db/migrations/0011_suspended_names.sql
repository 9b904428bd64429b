-- dns: a name whose device is blocked, or whose tenant is suspended, is kept but not answered for, and its token
-- opens nothing until the event "resumed".

ALTER TABLE dns.registration ADD suspended boolean NOT NULL DEFAULT false;
CREATE INDEX ON dns.registration (tenant_id, device);

-- The token once more, sealed, if the operator wants PageKite, whose clients sign with it.
ALTER TABLE dns.registration ADD kite text;
