-- dns: mails are kept for an hour after they were sent, without their text, so that no address gets too many (docs/names.md).

-- One that was sent is never due again, whatever version of the service looks.
ALTER TABLE dns.mail ADD COLUMN made_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX ON dns.mail (lower(recipient), made_at);
