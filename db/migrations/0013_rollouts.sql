-- provision: the next package of every portal device, made in waves that stop when too many fail (docs/packages.md).

-- The first two waves are shares of the devices, the third is the rest. fail_count 0: no limit by number.
CREATE TABLE provision.rollout (
	tenant_id uuid NOT NULL,
	id uuid NOT NULL DEFAULT fabric.uuid7(),
	state text NOT NULL DEFAULT 'running'
		CHECK (state IN ('running', 'paused', 'stopped', 'cancelled', 'done')),
	reason text NOT NULL DEFAULT '',
	wave integer NOT NULL DEFAULT 1 CHECK (wave BETWEEN 1 AND 3),
	first_percent integer NOT NULL CHECK (first_percent BETWEEN 1 AND 100),
	second_percent integer NOT NULL CHECK (second_percent BETWEEN first_percent AND 100),
	max_open integer NOT NULL CHECK (max_open BETWEEN 1 AND 5000),
	fail_percent integer NOT NULL CHECK (fail_percent BETWEEN 0 AND 100),
	fail_count integer NOT NULL CHECK (fail_count >= 0),
	created_at timestamptz NOT NULL DEFAULT now(),
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX rollout_under_way ON provision.rollout (tenant_id)
	WHERE state IN ('running', 'paused', 'stopped');
CALL fabric.isolate('provision.rollout');

-- number is the package that was made for the device, 0 while it waits; good the one with which the VPN had seen it
-- before, 0 for a device that no VPN has ever told of.
CREATE TABLE provision.rollout_device (
	tenant_id uuid NOT NULL,
	rollout_id uuid NOT NULL,
	device_id uuid NOT NULL,
	wave integer NOT NULL,
	state text NOT NULL DEFAULT 'waiting'
		CHECK (state IN ('waiting', 'open', 'done', 'failed', 'left')),
	number integer NOT NULL DEFAULT 0,
	good integer NOT NULL DEFAULT 0,
	opened_at timestamptz,
	PRIMARY KEY (tenant_id, rollout_id, device_id),
	FOREIGN KEY (tenant_id, rollout_id) REFERENCES provision.rollout,
	FOREIGN KEY (tenant_id, device_id) REFERENCES provision.portal_device ON DELETE CASCADE
);
CREATE INDEX rollout_device_state ON provision.rollout_device (tenant_id, rollout_id, state, wave);
CALL fabric.isolate('provision.rollout_device');
