/*
 * challenge: RFC 8555, section 8.3.
 */
#include "dataplane/tunnel/challenge.h"

#include "dataplane/counters.h"
#include "dataplane/net/http.h"
#include "dataplane/tunnel/visitor.h"
#include "lib/mem.h"

#include <stdio.h>
#include <string.h>

#define PREFIX	  "/.well-known/acme-challenge/"
#define TOKEN_MAX 256

/* The path of a token of base64url. */
static bool is_challenge(const char *path)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	const char *token = path + strlen(PREFIX);

	return strncmp(path, PREFIX, strlen(PREFIX)) == 0 && *token != '\0' &&
	       strlen(token) <= TOKEN_MAX && token[strspn(token, good)] == '\0';
}

/* The host that was asked for, without its port. */
static bool read_host(const struct http *http, char name[HELLO_NAME_MAX])
{
	const char *host = http_header(http, "Host");

	return host && hello_host(host, strcspn(host, ":"), name);
}

static void pass(struct dataplane *dataplane, struct http *http, const char *name)
{
	AUTO_FREE char *request =
		xasprintf("%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
			http_method(http), http_path(http), name);

	visitor_create(dataplane, http_release(http),
		&(struct visit){ .kind = MUX_HTTP, .name = name, .first = request });
}

static void redirect(struct http *http, const char *name)
{
	const char *query = http_query_text(http);
	AUTO_FREE char *answer =
		xasprintf("HTTP/1.1 308 Permanent Redirect\r\nLocation: https://%s%s%s%s\r\n"
			  "Content-Length: 0\r\nConnection: close\r\n\r\n",
			name, http_path(http), *query != '\0' ? "?" : "", query);

	counter_add(COUNTER_VISITORS + OUTCOME_REDIRECTED, 1);
	http_send(http, answer);
}

void challenge_serve(struct dataplane *dataplane, struct http *http)
{
	const char *method = http_method(http);
	bool gets = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
	char name[HELLO_NAME_MAX];

	if (!read_host(http, name))
		http_answer(http, 400, "Host is not the name of a host.");
	else if (gets && is_challenge(http_path(http)))
		pass(dataplane, http, name);
	else
		redirect(http, name);
}
