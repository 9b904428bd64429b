-- auth: from when on the tokens of somebody are good, for those who ask auth (docs/tokens.md, Revocation). Gateway and
-- nodes have it from the event `revoked`. Unix seconds, as the claim `iat`.

ALTER TABLE auth.tenant ADD COLUMN tokens_from bigint NOT NULL DEFAULT 0;
ALTER TABLE auth."user" ADD COLUMN tokens_from bigint NOT NULL DEFAULT 0;
ALTER TABLE auth.device_secret ADD COLUMN tokens_from bigint NOT NULL DEFAULT 0;
