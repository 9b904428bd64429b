/* redirect_uri: see redirect_uri.h. */
#include "services/auth/oauth/redirect_uri.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define PORT	"{PORT}"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS	"0123456789"

static const char *after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static bool is_text(const char *uri)
{
	size_t len = strnlen(uri, REDIRECT_URI_MAX + 1);

	if (len == 0 || len > REDIRECT_URI_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (uri[i] <= ' ' || uri[i] > '~' || strchr("#\"<>\\^`|", uri[i]) != NULL)
			return false;
	return true;
}

/* What follows "http://ADDRESS" of a loopback address: a port, or "{PORT}", and a path. */
static bool is_loopback_rest(const char *rest)
{
	const char *path;

	if (*rest != ':')
		return *rest == '/';
	path = after(rest + 1, PORT);
	if (path == NULL)
		path = rest + 1 + strspn(rest + 1, DIGITS);
	return path > rest + 1 && *path == '/';
}

static bool is_loopback(const char *after_scheme)
{
	static const char *const addresses[] = { "127.0.0.1", "[::1]" };

	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		const char *rest = after(after_scheme, addresses[i]);

		if (rest != NULL && is_loopback_rest(rest))
			return strchr(rest, '@') == NULL;
	}
	return false;
}

/* The authority is a host, perhaps with a port. */
static bool is_https(const char *after_scheme)
{
	size_t len = strcspn(after_scheme, "/?");

	return len > 0 && strspn(after_scheme, LETTERS DIGITS ".-:[]") == len;
}

/* A private-use scheme is a reversed domain name (RFC 8252 section 7.1). */
static bool is_private_use(const char *uri)
{
	size_t len = strspn(uri, LETTERS DIGITS ".-+");

	return len > 0 && uri[len] == ':' && uri[len + 1] != '\0' &&
	       strchr(LETTERS, uri[0]) != NULL && memchr(uri, '.', len) != NULL;
}

bool redirect_uri_allowed(const char *uri)
{
	const char *rest;

	if (!is_text(uri))
		return false;
	if ((rest = after(uri, "https://")) != NULL)
		return is_https(rest);
	if ((rest = after(uri, "http://")) != NULL)
		return is_loopback(rest);
	return is_private_use(uri);
}

bool redirect_uri_matches(const char *registered, const char *uri)
{
	const char *wildcard = strstr(registered, PORT);
	size_t head = wildcard != NULL ? (size_t)(wildcard - registered) : 0, n_digits;
	long port;

	if (wildcard == NULL)
		return strcmp(registered, uri) == 0;
	if (strncmp(registered, uri, head) != 0)
		return false;
	n_digits = strspn(uri + head, DIGITS);
	if (n_digits < 4 || n_digits > 5 || uri[head] == '0')
		return false;
	port = strtol(uri + head, NULL, 10);
	return port >= 1024 && port <= 65535 &&
	       strcmp(wildcard + strlen(PORT), uri + head + n_digits) == 0;
}
