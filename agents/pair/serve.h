/*
 * serve: a server behind a tunnel proxy: each client that comes there gets a connection to a local
 * place of its own. Runs until it is over.
 */
#pragma once

#include "agents/pair/meet.h"

#include "lib/err.h"

struct serve_options {
	struct wire *wire;
	const struct meet *meet; /* it is registered; what came after that is in there */
	const char *connect;	 /* where each client goes: ADDRESS:PORT or the path of a socket */
	bool quiet;		 /* says nothing of clients */
};

/* Always an error: `fault` says why it is over. */
err_t serve(const struct serve_options *options, struct fault *fault) MUST_CHECK;
