/*
 * proxy: the proxy on the way out: of the command line, else of the environment as other programs
 * have it (https_proxy, http_proxy, all_proxy, no_proxy). Read once, at start.
 */
#pragma once

#include "agents/login.h"
#include "agents/url.h"

#include "lib/err.h"

#include <stdbool.h>

struct proxy {
	char url[URL_MAX];	     /* http:// or socks5h://; "": the environment's */
	char credentials[LOGIN_MAX]; /* user:password; "": none, or those in the environment's URL
				      */
};

/* What --proxy and --proxy-credentials say; both may be NULL. */
err_t proxy_read(
	struct proxy *proxy, const char *url, const char *file, struct fault *fault) MUST_CHECK;

/* The URL of the proxy for a connection that is secure or not; NULL: there is none. */
const char *proxy_url(const struct proxy *proxy, bool secure);

/* The same with the credentials in it, for another program's environment. False: there is none. */
#define PROXY_TEXT_MAX (URL_MAX + 3 * LOGIN_MAX)
bool proxy_text(const struct proxy *proxy, bool secure, char out[PROXY_TEXT_MAX]);
