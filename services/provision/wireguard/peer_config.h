/*
 * peer_config: a profile as the configuration of a WireGuard client, as apps of API 3 take it: the
 * app adds its private key. Pure, any thread.
 */
#pragma once

#include "lib/mem.h"
#include "proto/profile.pb-c.h"

#include <stdint.h>

struct peer_config {
	const Provision__Profile *profile;
	const char *host, *public_key; /* of the server */
	uint32_t port;
	const char *ipv4, *ipv6;	     /* of the peer, with prefix length; "": none */
	const char *ipv4_range, *ipv6_range; /* of the network; "": none */
	uint32_t mtu;
};

/* The text, in lines that end with "\n". */
char *peer_config_write(struct arena *arena, const struct peer_config *config);
