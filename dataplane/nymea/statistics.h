/*
 * statistics: what the monitors of nymea-remoteproxy show, as their documents, and the lines of its
 * log engine. The loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct nymea;

/* What a monitor up to 1.8 is pushed each second; malloc'ed, one line. */
char *statistics_push(struct nymea *nymea, uint64_t throughput);

/* What a monitor from 1.9 on asks for; `all`: also servers without clients. */
char *statistics_pull(struct nymea *nymea, uint64_t throughput, bool all);

/* Bytes that clients have sent since the start. */
uint64_t statistics_bytes(const struct nymea *nymea);

/* Connections, and pairs and tunnels of clients that are joined. */
void statistics_count(const struct nymea *nymea, unsigned *connections, unsigned *tunnels);
