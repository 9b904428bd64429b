/*
 * apps: the published VPN apps of eduVPN, Let's Connect! and govVPN: public clients that every site
 * knows (contract app-api 1.5 and 2.6). No state; any thread.
 */
#pragma once

#include "lib/mem.h"
#include "proto/oauth.pb-c.h"

#include <stdbool.h>

/* Fills `client` if there is such an app; its lists are static. */
bool app_find(const char *client_id, Auth__OauthClient *client);
