/*
 * upgrade: the HTTP side of the WebSocket handshake: the request to send, and the check of the
 * reply's head. Over memory only, no I/O. Any thread.
 */
#pragma once

#include "agents/url.h"

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UPGRADE_REQUEST_MAX 8192
#define UPGRADE_HEAD_MAX    8192 /* bytes of the reply's head */

/* What is asked for. Lanyard's nodes look at the authorization, vpn-ws looks at the MAC address. */
struct upgrade_request {
	const struct url *url;
	const char *key;	   /* Sec-WebSocket-Key */
	const char *authorization; /* "Bearer TOKEN" or "Basic BASE64"; NULL: none */
	const uint8_t *mac;	   /* of the interface, for X-vpn-ws-MAC; NULL: not told */
	bool bridge;		   /* other stations are behind the interface */
	const char *protocol;	   /* subprotocol to offer; NULL: none */
};

/* Writes the request and returns its length. */
size_t upgrade_write(char out[UPGRADE_REQUEST_MAX], const struct upgrade_request *request);

struct upgrade {
	size_t head_len;	/* frames follow it */
	unsigned status;	/* of HTTP */
	bool protocol;		/* the subprotocol was taken */
	char location[URL_MAX]; /* of a redirection; else "" */
};

/*
 * Reads the head of the reply to the request. ERR_OUT_OF_RANGE: it is not whole yet. OK:
 * it is; status 101 only if all of RFC 6455, section 4.1, holds. ERR_INVALID_ARGUMENT with `fault`:
 * it is no proper reply.
 */
err_t upgrade_read(struct upgrade *upgrade, const char *head, size_t len,
	const struct upgrade_request *request, struct fault *fault) MUST_CHECK;
