-- provision: programs of a tenant may fetch VPN configurations for users (docs/eduvpn.md).
ALTER TABLE provision.app_settings ADD COLUMN admin_api boolean NOT NULL DEFAULT false;
