/*
 * local: this machine's side of lanyard pair: a TCP port or a unix socket.
 */
#pragma once

#include "lib/err.h"

#include <stdbool.h>

/* Waits for one connection at ADDRESS:PORT or the path of a socket. */
err_t local_listen(const char *where, int *fd, struct fault *fault) MUST_CHECK;

/* Connects there; `nonblocking`: without waiting, a failure shows at the first use. */
err_t local_connect(const char *where, bool nonblocking, int *fd, struct fault *fault) MUST_CHECK;
