/*
 * uwsgi: the request that a proxy sends (nginx's uwsgi_pass) before the connection becomes a raw
 * WebSocket: a header, then variables, of which the few that matter here are taken. Pure.
 *
 * On the wire: u8 modifier1, u16 size, u8 modifier2, then `size` bytes of { u16 length, name,
 * u16 length, value }, all little-endian. Of variables with the same name the last one counts.
 */
#pragma once

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UWSGI_HEADER_LEN 4
#define UWSGI_PACKET_MAX (UWSGI_HEADER_LEN + 65535)
#define UWSGI_CONTROL	 1 /* modifier1 of a request for the status page; any other: WebSocket */

struct uwsgi_request {
	uint8_t modifier1;
	char query[512];     /* QUERY_STRING */
	char address[64];    /* REMOTE_ADDR */
	char user[256];	     /* REMOTE_USER */
	char dn[1024];	     /* HTTPS_DN, or DN if the proxy sends no HTTPS_DN */
	char key[65];	     /* HTTP_SEC_WEBSOCKET_KEY */
	char protocols[256]; /* HTTP_SEC_WEBSOCKET_PROTOCOL */
	char mac[18];	     /* HTTP_X_VPN_WS_MAC */
	char bridge[8];	     /* HTTP_X_VPN_WS_BRIDGE */
};

/* Length of the packet that begins the `len` bytes; 0 while too few have come to know. */
size_t uwsgi_packet_len(const uint8_t *bytes, size_t len);

/*
 * Reads a whole packet. ERR_INVALID_ARGUMENT when its lengths don't fit, a name is empty, a value
 * that is taken has a NUL; ERR_OUT_OF_RANGE when such a value is too long. `*field` then names the
 * variable (static text; "" if it is none).
 */
err_t uwsgi_parse(const uint8_t *packet, size_t len, struct uwsgi_request *request,
	const char **field) MUST_CHECK;
