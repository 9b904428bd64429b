/*
 * meet: the beginning of a connection to a server that speaks nymea's protocol: what is asked of it
 * and what it answers, as JSON documents, until what follows is somebody else's. Blocks.
 */
#pragma once

#include "agents/pair/wire.h"

#include "lib/err.h"

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEET_TEXT_MAX (16 * 1024 + WIRE_MAX) /* bytes of what the server says, and what follows */

enum meet_as { MEET_PAIR, MEET_TUNNEL_CLIENT, MEET_TUNNEL_SERVER };

struct meet {
	enum meet_as as;
	const char *token; /* or the UUID of the tunnel server */
	const char *nonce; /* NULL: none */
	const char *name;  /* what the other side is told */
	bool answered;	   /* the server has said something */
	/* the answer */
	char partner[256];	     /* name of the other client of a pair; else "" */
	uint8_t rest[MEET_TEXT_MAX]; /* what came after the last document already */
	size_t rest_len;
};

/* Asks, and waits until the other side is there, or for a tunnel server until it is registered. */
err_t meet(struct meet *meet, struct wire *wire, struct fault *fault) MUST_CHECK;

/* A request as a line; malloc'ed. Takes params. */
char *meet_request(int id, const char *method, json_t *params);
