/*
 * client_config: a profile as the configuration of an OpenVPN client. Writing is pure, any thread;
 * filling runs in the thread of the call.
 */
#pragma once

#include "lib/call.h"
#include "lib/mem.h"
#include "proto/certificates.pb-c.h"
#include "proto/profile.pb-c.h"

#include <stdbool.h>

/* One remote of each kind of port (usual and special ones, by protocol): the first or a random one;
 * or all that there are. */
enum client_remotes { CLIENT_REMOTES_FIRST, CLIENT_REMOTES_RANDOM, CLIENT_REMOTES_ALL };

struct client_config {
	const Provision__Profile *profile;
	const char *trust; /* certificates of authorities */
	const char *tls_crypt;
	const char *certificate, *key; /* NULL: the app adds them */
	enum client_remotes remotes;
	bool prefer_tcp;
	bool modern; /* for OpenVPN 2.5 and later, as apps with API 3 have it */
};

/* Whom the client believes, and the key of the profile's servers. */
err_t client_config_fill(struct call *call, struct client_config *config) MUST_CHECK;

/* Its own certificate with the key, if that was made here. */
void client_config_set_keypair(struct arena *arena, const Provision__Certificate *certificate,
	struct client_config *config);

/* The text, in lines that end with "\n"; the last ones are remotes. */
char *client_config_write(struct arena *arena, const struct client_config *config);
