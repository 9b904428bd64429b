/*
 * door: where connections are waited for: an address with its port, or the path of a unix socket,
 * whose file only the owner and a group may open.
 */
#pragma once

#include "lib/err.h"

#include <sys/types.h>

struct door {
	const char *listen; /* ADDRESS:PORT or a path, see endpoint_parse_any */
	mode_t mode;	    /* of a unix socket's file */
	gid_t group;	    /* of that file; 0: that of the process */
};

/*
 * Binds and listens, without blocking. The file of a socket that nobody listens at any more is
 * replaced; anything else at its path is left alone. Errors are logged.
 */
err_t door_open(const struct door *door, int *fd) MUST_CHECK;

/* Closes the socket and removes its file, if it may. */
void door_close(const struct door *door, int fd);
