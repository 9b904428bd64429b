/* url: see url.h. */
#include "agents/url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECURE_PORT 443
#define PLAIN_PORT  80
#define DIGITS	    "0123456789"
#define LETTERS	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static err_t refuse(struct fault *fault, const char *scheme)
{
	return fault_set(fault, ERR_INVALID_ARGUMENT, "url",
		"expected a URL such as %s://host.example:8443/", scheme);
}

/* Takes "[v6]" or a name or IPv4 address; returns what follows it, NULL if it is neither. */
static const char *take_host(struct url *url, const char *at)
{
	bool bracket = *at == '[';
	const char *host = bracket ? at + 1 : at;
	size_t len = strspn(host, bracket ? DIGITS "abcdefABCDEF:." : DIGITS LETTERS "-._");
	struct in6_addr ignored;

	if (len == 0 || len >= sizeof(url->host))
		return NULL;
	memcpy(url->host, host, len);
	url->host[len] = '\0';
	if (!bracket)
		return host + len;
	return host[len] == ']' && inet_pton(AF_INET6, url->host, &ignored) == 1 ? host + len + 1
										 : NULL;
}

static const char *take_port(struct url *url, const char *at)
{
	size_t len;
	long port;

	url->port = url_is_secure(url) ? SECURE_PORT : PLAIN_PORT;
	if (*at != ':')
		return at;
	len = strspn(++at, DIGITS);
	port = len >= 1 && len <= 5 ? strtol(at, NULL, 10) : 0;
	if (port < 1 || port > UINT16_MAX)
		return NULL;
	url->port = (uint16_t)port;
	return at + len;
}

static bool take_path(struct url *url, const char *at)
{
	size_t len = strlen(at);

	if (len + 2 > sizeof(url->path))
		return false;
	for (size_t i = 0; i < len; i++)
		if (at[i] <= ' ' || at[i] > '~' || at[i] == '#')
			return false;
	if (*at != '\0' && *at != '/' && *at != '?')
		return false;
	snprintf(url->path, sizeof(url->path), "%s%s", *at == '/' ? "" : "/", at);
	return true;
}

err_t url_parse(struct url *url, const char *scheme, const char *text, struct fault *fault)
{
	size_t len = strlen(scheme);
	struct url parsed = { .scheme = scheme };
	const char *at = text + len + 3;

	if (strncmp(text, scheme, len) != 0 || strncmp(text + len, "://", 3) != 0)
		return refuse(fault, scheme);
	if ((at = take_host(&parsed, at)) == NULL || (at = take_port(&parsed, at)) == NULL ||
		!take_path(&parsed, at))
		return refuse(fault, scheme);
	*url = parsed;
	return OK;
}

err_t url_follow(struct url *url, const struct url *from, const char *location, struct fault *fault)
{
	struct url next = *from;
	err_t err;

	if (location[0] == '/' && location[1] != '/') {
		if (!take_path(&next, location))
			return refuse(fault, from->scheme);
	} else if ((err = url_parse(&next, from->scheme, location, fault)) != OK) {
		return err;
	}
	if (strcasecmp(next.host, from->host) != 0)
		return fault_set(fault, ERR_PERMISSION_DENIED, "url",
			"redirected from %.100s to another host, %.100s: not followed", from->host,
			next.host);
	*url = next;
	return OK;
}

void url_authority(const struct url *url, char out[URL_AUTHORITY_MAX])
{
	bool v6 = strchr(url->host, ':') != NULL;

	snprintf(out, URL_AUTHORITY_MAX, "%s%s%s:%u", v6 ? "[" : "", url->host, v6 ? "]" : "",
		url->port);
}

void url_text(const struct url *url, char out[URL_TEXT_MAX])
{
	char authority[URL_AUTHORITY_MAX];

	url_authority(url, authority);
	snprintf(out, URL_TEXT_MAX, "%s://%s%s", url->scheme, authority, url->path);
}

bool url_is_secure(const struct url *url)
{
	return strcmp(url->scheme, "ws") != 0;
}
