/*
 * redirect_uri: which redirect URIs a client may have registered, and whether one that was asked
 * for is one of them (RFC 8252 sections 7 and 8, contract app-api 1.5). No state; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define REDIRECT_URI_MAX 512 /* bytes */

/* https, http on a loopback address (with "{PORT}" for any port), or a scheme of the app's own that
 * has a dot in it. No fragment, no blank, no user. */
bool redirect_uri_allowed(const char *uri);

/* Byte for byte, except that "{PORT}" stands for 1024 to 65535. */
bool redirect_uri_matches(const char *registered, const char *uri);
