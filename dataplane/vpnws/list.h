/*
 * list: the status page of a network. The loop's thread.
 */
#pragma once

#include "dataplane/switch/session.h"
#include "dataplane/vpnws/host.h"

/* The whole reply; `host` may be NULL. The caller frees it. */
char *list_text(const struct host *host, const struct sessions *sessions, const char *tenant,
	const char *network);
