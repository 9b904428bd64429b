/*
 * opening: from a URL to an open WebSocket at a node: the TCP connection, TLS, and the handshake.
 * The loop's thread.
 */
#pragma once

#include "agents/backoff.h"
#include "agents/carrier.h"
#include "agents/fetch.h"
#include "agents/loop.h"
#include "agents/upgrade.h"

#include "lib/congestion.h"

struct opening;

/* Why there is none. */
struct opening_failure {
	struct ending ending;	/* END_UNREACHABLE or END_REFUSED */
	char why[256];		/* a sentence's part for people */
	char location[URL_MAX]; /* where an END_REFUSED with a status of 300 to 399 points to; else
				   "" */
};

/* An open WebSocket. */
struct opened {
	struct carrier *carrier; /* the callee's from now on */
	int fd;			 /* of it */
	bool protocol;		 /* the subprotocol that was asked for was taken */
	const char *rest;	 /* what came with the handshake's reply: until opening_destroy */
	size_t rest_len;
};

struct opening_options {
	struct loop *loop;
	struct fetcher *fetcher;
	struct tls_trust *trust;
	struct congestion *congestion;
	struct upgrade_request request; /* without its key; what it points to is kept */
	void *context;
	/* One of them is called, once; it may destroy the opening. */
	void (*opened)(void *context, const struct opened *opened);
	void (*failed)(void *context, const struct opening_failure *failure);
};

/* Begins to connect. */
struct opening *opening_create(const struct opening_options *options);

/* Gives up what is not opened yet, without a call. NULL is fine. */
void opening_destroy(struct opening *opening);
