/*
 * log_engine: the statistics files of nymea-remoteproxy: a line a second, and one for each tunnel
 * that has ended. Each day has files of its own. The loop's thread.
 */
#pragma once

#include <stdint.h>

struct log_engine;

/* Writes to PREFIX-statistics.log and PREFIX-tunnels.log; keeps `prefix`. */
struct log_engine *log_engine_create(const char *prefix);
void log_engine_destroy(struct log_engine *engine); /* NULL is fine */

void log_engine_second(
	struct log_engine *engine, unsigned tunnels, unsigned connections, uint64_t throughput);

struct log_tunnel {
	int64_t start_s;
	const char *user, *one, *other; /* whose it was, and the two addresses */
	uint64_t bytes;
};
void log_engine_tunnel(struct log_engine *engine, const struct log_tunnel *tunnel);
