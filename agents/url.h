/*
 * url: the kinds of URL that the agent is told: https:// of the portal, wss:// and ws:// of the
 * dataplane. Only what they need: scheme, host, port, path; no user, no fragment. Any thread.
 */
#pragma once

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define URL_MAX	     512 /* bytes of a URL's text with its NUL */
#define URL_HOST_MAX 254 /* DNS name or address, with its NUL */

struct url {
	const char *scheme;	 /* "https", "wss" or "ws" */
	char host[URL_HOST_MAX]; /* an IPv6 address stands without its brackets */
	uint16_t port;
	char path[URL_MAX]; /* with the query; at least "/" */
};

/* Checks and takes apart `text`, whose scheme must be `scheme` (a constant). */
err_t url_parse(
	struct url *url, const char *scheme, const char *text, struct fault *fault) MUST_CHECK;

/* Follows a redirection of `from`: a path, or a URL of the same scheme and host (a token is shown
 * to no other). */
err_t url_follow(struct url *url, const struct url *from, const char *location,
	struct fault *fault) MUST_CHECK;

/* Writes "host:port", an IPv6 address in brackets. */
#define URL_AUTHORITY_MAX (URL_HOST_MAX + 8)
void url_authority(const struct url *url, char out[URL_AUTHORITY_MAX]);

/* Writes the whole URL. */
#define URL_TEXT_MAX (URL_MAX + URL_AUTHORITY_MAX + 8)
void url_text(const struct url *url, char out[URL_TEXT_MAX]);

bool url_is_secure(const struct url *url);
