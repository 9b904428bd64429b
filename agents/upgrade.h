/*
 * upgrade: the HTTP side of the WebSocket handshake: the request to send, and the check of the
 * reply's head. Over memory only, no I/O. Any thread.
 */
#pragma once

#include "agents/url.h"

#include "lib/err.h"

#include <stddef.h>

#define UPGRADE_REQUEST_MAX 8192
#define UPGRADE_HEAD_MAX    8192 /* bytes of the reply's head */

/* Writes the request and returns its length. `token` is the access token, `key` the
 * Sec-WebSocket-Key. */
size_t upgrade_request(
	char out[UPGRADE_REQUEST_MAX], const struct url *url, const char *token, const char *key);

struct upgrade {
	size_t head_len;	/* frames follow it */
	unsigned status;	/* of HTTP */
	char location[URL_MAX]; /* of a redirection; else "" */
};

/*
 * Reads the head of the reply to a request with `key`. ERR_OUT_OF_RANGE: it is not whole yet. OK:
 * it is; status 101 only if all of RFC 6455, section 4.1, holds. ERR_INVALID_ARGUMENT with `fault`:
 * it is no proper reply.
 */
err_t upgrade_read(struct upgrade *upgrade, const char *head, size_t len, const char *key,
	struct fault *fault) MUST_CHECK;
