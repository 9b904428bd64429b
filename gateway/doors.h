/*
 * doors: more places where devices reach the portal: ports of one tenant each, for devices that
 * know nothing but an address and a port, and ports without TLS, or with an old one, for those that
 * have none or no other. Thread safe.
 */
#pragma once

#include "gateway/api.h"

#define DOORS_MAX 8

enum door_kind { DOOR_TLS, DOOR_PLAIN, DOOR_OLD_TLS, DOOR_CERTIFICATE };

/* Opens a door for each "ADDRESS:PORT" or "ADDRESS:PORT=HOST" of the comma-separated list: whoever
 * comes in asks for HOST, whatever is in the request. DOOR_PLAIN: there is no TLS, and polls of
 * the portal are all that is served. DOOR_OLD_TLS: also TLS 1.0 and 1.1, and the portal is all that
 * is served; the operator is warned. DOOR_CERTIFICATE: clients are asked for one, which EST
 * believes (gateway/compat/est.c). `options` are those of the front door, its context a struct api.
 */
err_t doors_open(
	const char *list, enum door_kind kind, const struct http_options *options) MUST_CHECK;

/* As http_retire and http_close, all of them. */
void doors_retire(void);
bool doors_close(int64_t drain_ms);
