/* sample_directory: zones lanyard.test (1, of members) and box.lanyard.test (2) with a few names.
 */
#pragma once

#include "services/dns/directory.h"

#include "lib/clock.h"

#include <string.h>

static const struct records_settings sample_settings = {
	.server = "ns1.lanyard.test",
	.address = "127.0.0.1",
	.members_zone = "lanyard.test",
	.names_zone = "box.lanyard.test",
	.tunnel = { "192.0.2.1", "2001:db8::1" },
	.n_tunnel = 2,
	.caa = "ca.test",
};

static inline void sample_zone(
	struct directory *directory, int number, const char *id, const char *name, uint32_t serial)
{
	struct arena *arena = arena_create();
	struct directory_zone *zone = arena_alloc(arena, sizeof(*zone));

	*zone = (struct directory_zone){ .arena = arena,
		.id = id,
		.tenant = "t",
		.name = name,
		.number = number,
		.serial = serial,
		.notified = serial,
		.open = number == 2,
		.members = number == 1 };
	directory_put_zone(directory, zone);
}

/* Lists of static arrays: only the holding itself is malloc'ed. */
static inline void sample_holding(struct directory *directory, struct holding holding)
{
	struct holding *copy = xmalloc(sizeof(*copy));

	if (holding.addresses[0] == NULL)
		holding.addresses[0] = "";
	if (holding.addresses[1] == NULL)
		holding.addresses[1] = "";
	if (holding.account == NULL)
		holding.account = "";
	if (holding.kite == NULL)
		holding.kite = "";
	*copy = holding;
	directory_put(directory, copy);
}

static inline struct directory *sample_directory(void)
{
	static const char *local[] = { "192.168.1.5", "fd00::5" };
	static struct holding_challenge challenges[] = { { "first", INT64_MAX },
		{ "second", INT64_MAX }, { "over", 1 } };
	struct directory *directory = directory_create(&sample_settings);

	directory_begin(directory);
	sample_zone(directory, 1, "z1", "lanyard.test", 7);
	sample_zone(directory, 2, "z2", "box.lanyard.test", 8);
	sample_holding(directory, (struct holding){ .id = "m1",
					  .zone = 1,
					  .name = "d.n.t.lanyard.test",
					  .kind = HOLDING_MEMBER,
					  .live = true,
					  .addresses = { "10.77.0.1", "fd77::1" } });
	sample_holding(directory, (struct holding){ .id = "r1",
					  .zone = 2,
					  .name = "fabrice.box.lanyard.test",
					  .kind = HOLDING_TUNNEL,
					  .live = true,
					  .local_ips = local,
					  .n_local_ips = 2,
					  .account = "https://ca.test/acct/1",
					  .kite = "11111111-2222-4333-8444-555555555555",
					  .challenges = challenges,
					  .n_challenges = 3 });
	sample_holding(directory, (struct holding){ .id = "r2",
					  .zone = 2,
					  .name = "silent.box.lanyard.test",
					  .kind = HOLDING_TUNNEL,
					  .challenges = challenges,
					  .n_challenges = 1 });
	sample_holding(directory, (struct holding){ .id = "r3",
					  .zone = 2,
					  .name = "moving.box.lanyard.test",
					  .kind = HOLDING_DYNAMIC,
					  .live = true,
					  .addresses = { "203.0.113.9" } });
	directory_end(directory);
	return directory;
}
