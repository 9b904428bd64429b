/*
 * names_backend: lanyard-dns' side of PowerDNS' remote backend with as many names as told, without
 * a database: names_backend SOCKET NAMES. Prints what they cost in memory (KiB) and how many are
 * taken over in a second, then answers until its standard input ends.
 */
#include "services/dns/server.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 10

static const struct records_settings settings = {
	.server = "ns1.box.test",
	.address = "127.0.0.1",
	.members_zone = "lanyard.test",
	.names_zone = "box.test",
	.tunnel = { "192.0.2.1", "2001:db8::1" },
	.n_tunnel = 2,
	.caa = "ca.test",
};

/* One allocation with its texts, as store_follow makes it. */
static struct holding *name_new(int n)
{
	static const char value[] = "LPsIwTo7o8BoG0-vjCyGQGBWSVIPxI-i_X336eUOQZo";
	char id[37], name[64];
	struct holding *holding;
	char *text;

	snprintf(id, sizeof(id), "018f0000-0000-7000-8000-%012d", n);
	snprintf(name, sizeof(name), "name%d.box.test", n);
	holding = xcalloc(1, sizeof(*holding) + sizeof(*holding->challenges) + strlen(id) +
				     strlen(name) + sizeof(value) + 2);
	holding->challenges = (struct holding_challenge *)(holding + 1);
	text = (char *)(holding->challenges + 1);
	holding->id = text;
	text = stpcpy(text, id) + 1;
	holding->name = text;
	text = stpcpy(text, name) + 1;
	holding->challenges[0] = (struct holding_challenge){ strcpy(text, value), INT64_MAX };
	holding->n_challenges = 1;
	holding->zone = 1;
	holding->kind = HOLDING_TUNNEL;
	holding->live = true;
	holding->addresses[0] = holding->addresses[1] = holding->account = holding->kite = "";
	return holding;
}

static void put_all(struct directory *directory, int n_names)
{
	for (int n = 0; n < n_names; n++) {
		directory_begin(directory);
		directory_put(directory, name_new(n));
		directory_end(directory);
	}
}

static void put_zone(struct directory *directory)
{
	struct arena *arena = arena_create();
	struct directory_zone *zone = arena_alloc(arena, sizeof(*zone));

	*zone = (struct directory_zone){ .arena = arena,
		.id = "zone",
		.tenant = "t",
		.name = "box.test",
		.number = 1,
		.serial = 1 };
	directory_begin(directory);
	directory_put_zone(directory, zone);
	directory_end(directory);
}

static struct directory *fill(int n_names)
{
	struct directory *directory = directory_create(&settings);
	size_t before = mallinfo2().uordblks, kib;
	int64_t start_ms;

	put_zone(directory);
	put_all(directory, n_names);
	kib = (mallinfo2().uordblks - before) / 1024;
	start_ms = clock_ms();
	for (int round = 0; round < ROUNDS; round++)
		put_all(directory, n_names); /* each in the place of its predecessor */
	printf("%zu %.0f\n", kib,
		(double)ROUNDS * n_names * 1000 / (double)(clock_ms() - start_ms + 1));
	fflush(stdout);
	return directory;
}

int main(int argc, char **argv)
{
	struct remote remote = { 0 };
	struct server *server;
	char byte;

	if (argc != 3) {
		fprintf(stderr, "usage: names_backend SOCKET NAMES\n");
		return 2;
	}
	remote.directory = fill(atoi(argv[2]));
	if (server_start(&server, argv[1], &remote) != OK)
		return EXIT_FAILURE;
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	server_stop(server);
	directory_destroy(remote.directory);
	return EXIT_SUCCESS;
}
