/* fetch: see fetch.h. The only code of auth that sees libcurl. */
#include "services/auth/provider/fetch.h"

#include "lib/log.h"
#include "lib/mem.h"

#include <curl/curl.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define AT_ONCE	   2 /* of the workers; the others stay free for all else */
#define TIMEOUT_MS 3000

static struct {
	const char *ca_file;
	bool allow_private;
	sem_t turns;
} settings;

void fetch_open(const char *ca_file, bool allow_private)
{
	settings.ca_file = ca_file;
	settings.allow_private = allow_private;
	sem_init(&settings.turns, 0, AT_ONCE);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		BUG("libcurl does not start");
}

/* ---- where it goes ---- */

static bool is_private_ipv4(const unsigned char a[4])
{
	return a[0] == 0 || a[0] == 10 || a[0] == 127 || a[0] >= 224 ||
	       (a[0] == 100 && (a[1] & 0xc0) == 64) || (a[0] == 169 && a[1] == 254) ||
	       (a[0] == 172 && (a[1] & 0xf0) == 16) || (a[0] == 192 && a[1] == 168) ||
	       (a[0] == 192 && a[1] == 0 && a[2] == 0) || (a[0] == 198 && (a[1] & 0xfe) == 18);
}

/* Only global unicast is public; what carries an IPv4 address is as private as that. */
static bool is_private_ipv6(const struct in6_addr *address)
{
	if (IN6_IS_ADDR_V4MAPPED(address))
		return is_private_ipv4(address->s6_addr + 12);
	return (address->s6_addr[0] & 0xe0) != 0x20;
}

static bool is_private(const struct curl_sockaddr *address)
{
	const void *at = &address->addr;

	if (address->family == AF_INET)
		return is_private_ipv4(
			(const unsigned char *)&((const struct sockaddr_in *)at)->sin_addr);
	if (address->family == AF_INET6)
		return is_private_ipv6(&((const struct sockaddr_in6 *)at)->sin6_addr);
	return true;
}

/* The address is looked at when it is connected to, so no name can change in between. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)arg, (void)purpose;
	if (!settings.allow_private && is_private(address))
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
	err_t err;

	if (sem_trywait(&settings.turns) != 0)
		return call_refuse(call, ERR_RESOURCE_EXHAUSTED, NULL,
			"too many wait for identity providers just now");
	read.text = arena_alloc(call->arena, FETCH_MAX + 1);
	err = perform(call, request, &read);
	sem_post(&settings.turns);
	read.text[read.len] = '\0';
	*body = read.text;
	return err;
}
