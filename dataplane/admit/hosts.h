/*
 * hosts: virtual hosts: what each host name of the node is for, from the setting, and which one a
 * request is for. The loop's thread.
 *
 * A list of rows, separated by commas: a name, "*.NAME" or "*", then the words that bind it:
 * tenant=UUID, network=UUID, face=l2 or face=pair. A name counts more than "*.", the longest of
 * those first, and these more than "*". With no row at all every name is for everything.
 */
#pragma once

#include "lib/err.h"
#include "lib/token.h"
#include "lib/uuid.h"

#include <stdbool.h>
#include <stddef.h>

#define HOSTS_MAX      256
#define HOSTS_NAME_MAX 253

enum host_face { HOST_ANY, HOST_L2, HOST_PAIR };

struct virtual_host {
	char name[HOSTS_NAME_MAX + 1]; /* lower case; "*.example.org" and "*" for many */
	char tenant[UUID_SIZE];	       /* "": any */
	char network[UUID_SIZE];       /* "": any */
	enum host_face face;
};

struct hosts {
	size_t n;
	struct virtual_host rows[HOSTS_MAX];
};

err_t hosts_parse(struct hosts *hosts, const char *list, struct fault *fault) MUST_CHECK;

/*
 * Finds the row of the host that a request is for, which lives as long as the hosts. `host` is its
 * Host, `asked` the name that TLS was asked for; both may be NULL. 0, or 421 with `why`: they are
 * not one name, or it is none of this node's.
 */
unsigned hosts_find(const struct hosts *hosts, const char *host, const char *asked,
	const struct virtual_host **out, const char **why);

/* May who shows these claims come by that name? */
bool host_admits(const struct virtual_host *host, const struct token_claims *claims);
