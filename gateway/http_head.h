/* http_head: reads the head of a request from libmicrohttpd, and refuses one of which somebody on
 * its way may have read something else (RFC 9112). Event threads. */
#pragma once

#include "gateway/http.h"

struct MHD_Connection;

/* It will be answered with this, unless it is refused already. */
void http_refuse(struct http_request *request, enum http_status status, const char *field,
	const char *detail);

/* `target_end` is where the target ended in libmicrohttpd's memory, `version` what followed it. */
void http_head_read(struct http_request *request, struct MHD_Connection *connection,
	const char *target_end, const char *version);
