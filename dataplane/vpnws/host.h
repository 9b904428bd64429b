/*
 * host: an interface of the node's own as a port of a network, by which the host that the node runs
 * on, or a Linux bridge, is in that network. The loop's thread.
 */
#pragma once

#include "dataplane/switch/session.h"
#include "lib/err.h"

#include <uv.h>

struct host;

struct host_options {
	uv_loop_t *loop;
	struct sessions *sessions;
	const char *tenant, *network;
	const char *interface; /* a TAP of that name, which is made unless it is there */
	bool bridge;	       /* a network lies behind it */
};

/* Opens the interface and attaches its port. Errors are logged. */
err_t host_open(struct host **out, const struct host_options *options) MUST_CHECK;

/* Takes the port out; frees itself when the loop has closed its handle. NULL is fine. */
void host_close(struct host *host);

const struct port *host_port(const struct host *host);

/* Bytes of frames that the interface got and gave. */
void host_bytes(const struct host *host, uint64_t *to, uint64_t *from);
