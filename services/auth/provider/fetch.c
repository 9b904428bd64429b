/* fetch: see fetch.h. The only code of auth that sees libcurl. */
#include "services/auth/provider/fetch.h"

#include "lib/log.h"
#include "lib/mem.h"
#include "services/auth/outside/reach.h"
#include "services/auth/outside/turn.h"

#include <curl/curl.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define TIMEOUT_MS 3000
#define CONNECT_MS 1500 /* of these */

static struct {
	const char *ca_file;
	bool allow_private;
} settings;

void fetch_open(const char *ca_file, bool allow_private)
{
	settings.ca_file = ca_file;
	settings.allow_private = allow_private;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		BUG("libcurl does not start");
}

/* ---- where it goes ---- */

/* The address is looked at when it is connected to, so no name can change in between. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)arg, (void)purpose;
	if (!settings.allow_private && reach_is_private(&address->addr))
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- what comes back ---- */

struct body {
	struct arena *arena;
	char *text;
	size_t len;
};

static size_t on_body(char *data, size_t one, size_t len, void *arg)
{
	struct body *body = arg;

	(void)one;
	if (body->len + len > FETCH_MAX)
		return 0; /* ends the transfer */
	memcpy(body->text + body->len, data, len);
	body->len += len;
	return len;
}

static void prepare(CURL *curl, struct call *call, const struct fetch *request, struct body *body)
{
	int64_t left_ms = call_left_ms(call);

	curl_easy_setopt(curl, CURLOPT_URL, request->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(
		curl, CURLOPT_TIMEOUT_MS, (long)(left_ms < TIMEOUT_MS ? left_ms + 1 : TIMEOUT_MS));
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "lanyard/" LANYARD_VERSION);
	if (*settings.ca_file)
		curl_easy_setopt(curl, CURLOPT_CAINFO, settings.ca_file);
	if (request->form != NULL)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->form);
	if (request->user != NULL) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, request->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password);
	}
}

static err_t perform(struct call *call, const struct fetch *request, struct body *body)
{
	char error[CURL_ERROR_SIZE] = "";
	CURL *curl = curl_easy_init();
	CURLcode code;
	long status = 0;

	if (curl == NULL)
		BUG("libcurl does not start");
	prepare(curl, call, request, body);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	if (code == CURLE_OK && status == 200)
		return OK;
	LOG_THROTTLED(LOG_LEVEL_WARN, "provider_fails",
		"tenant=%s url=%s status=%ld error=%s action=\"look at the provider, or at "
		"LANYARD_PROVIDER_CA_FILE and LANYARD_PROVIDER_PRIVATE\"",
		call->tenant, log_value(request->url), status,
		log_value(*error ? error : curl_easy_strerror(code)));
	return call_refuse(call, ERR_UNAVAILABLE, "provider",
		"the identity provider does not answer as it should");
}

err_t fetch(struct call *call, const struct fetch *request, const char **body)
{
	struct body read = { .arena = call->arena };
	err_t err = turn_take(call);

	if (err != OK)
		return err;
	read.text = arena_alloc(call->arena, FETCH_MAX + 1);
	err = perform(call, request, &read);
	turn_give(call);
	read.text[read.len] = '\0';
	*body = read.text;
	return err;
}
