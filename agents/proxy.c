/* proxy: see proxy.h. */
#include "agents/proxy.h"

#include "lib/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first of the variables that is set. */
static const char *variable(const char *const names[])
{
	for (; *names != NULL; names++) {
		const char *value = getenv(*names);

		if (value != NULL && *value != '\0')
			return value;
	}
	return NULL;
}

/* curl could speak TLS with a proxy, but then the socket that it hands over is of no use to us. */
static err_t check_environment(const struct proxy *proxy, struct fault *fault)
{
	for (int secure = 0; secure <= 1; secure++) {
		const char *url = proxy_url(proxy, secure != 0);

		if (url != NULL && strncasecmp(url, "https://", 8) == 0)
			return fault_set(fault, ERR_INVALID_ARGUMENT, "proxy",
				"the environment's proxy is https://: expected http:// or "
				"socks5://, or one given by --proxy");
	}
	return OK;
}

err_t proxy_read(struct proxy *proxy, const char *url, const char *file, struct fault *fault)
{
	/* Names are for the proxy to resolve: often nobody else here can. */
	static const struct {
		const char *given, *used;
	} schemes[] = { { "http://", "http://" }, { "socks5://", "socks5h://" },
		{ "socks5h://", "socks5h://" } };

	err_t err;

	*proxy = (struct proxy){ "", "" };
	for (size_t i = 0; url != NULL && i < ARRAY_LEN(schemes); i++) {
		size_t len = strlen(schemes[i].given);

		if (strncmp(url, schemes[i].given, len) == 0 && url[len] != '\0' &&
			strlen(url) < sizeof(proxy->url) - 1)
			snprintf(
				proxy->url, sizeof(proxy->url), "%s%s", schemes[i].used, url + len);
	}
	if (url != NULL && (proxy->url[0] == '\0' || strchr(url, '@') != NULL))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "proxy",
			"--proxy: expected http://HOST:PORT or socks5://HOST:PORT, its user and "
			"password "
			"in --proxy-credentials");
	if ((err = check_environment(proxy, fault)) != OK)
		return err;
	return login_read(
		"USER:PASSWORD", file, "LANYARD_PROXY_CREDENTIALS", proxy->credentials, fault);
}

const char *proxy_url(const struct proxy *proxy, bool secure)
{
	/* http_proxy in lower case only: to a CGI script the other is what a client sent. */
	static const char *const of_secure[] = { "https_proxy", "HTTPS_PROXY", "all_proxy",
		"ALL_PROXY", NULL };
	static const char *const of_plain[] = { "http_proxy", "all_proxy", "ALL_PROXY", NULL };

	if (proxy->url[0] != '\0')
		return proxy->url;
	return variable(secure ? of_secure : of_plain);
}

/* Appends `text` as a part of a URL. */
static char *escape(char *at, const char *text, size_t len)
{
	for (; len > 0; len--, text++)
		if (isalnum((unsigned char)*text) || strchr("-._~", *text) != NULL)
			*at++ = *text;
		else
			at += sprintf(at, "%%%02X", (unsigned char)*text);
	return at;
}

bool proxy_text(const struct proxy *proxy, bool secure, char out[PROXY_TEXT_MAX])
{
	const char *url = proxy_url(proxy, secure);
	const char *host = url != NULL ? strstr(url, "://") : NULL;
	size_t user_len = strcspn(proxy->credentials, ":");
	char *at = out;

	if (url == NULL || strlen(url) >= URL_MAX)
		return false;
	if (host == NULL || proxy->credentials[0] == '\0' || strchr(host, '@') != NULL) {
		strcpy(out, url);
		return true;
	}
	host += strlen("://");
	at += sprintf(at, "%.*s", (int)(host - url), url);
	at = escape(at, proxy->credentials, user_len);
	if (proxy->credentials[user_len] == ':') {
		const char *password = proxy->credentials + user_len + 1;

		*at++ = ':';
		at = escape(at, password, strlen(password));
	}
	sprintf(at, "@%s", host);
	return true;
}
