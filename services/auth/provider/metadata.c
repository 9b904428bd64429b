/* metadata: see metadata.h. A few documents in memory, by their URL, under one mutex. */
#include "services/auth/provider/metadata.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "services/auth/provider/fetch.h"

#include <jansson.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENTS 64
#define LIFE_MS	  (10 * 60 * 1000)
#define AGAIN_MS  (60 * 1000) /* an unknown key asks no more often */

static struct {
	pthread_mutex_t mutex; /* guards what follows */
	struct document {
		char *url, *body; /* NULL: none */
		int64_t at_ms;
	} list[DOCUMENTS];
} documents = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static const char *find(struct arena *arena, const char *url, int64_t life_ms)
{
	const char *body = NULL;

	pthread_mutex_lock(&documents.mutex);
	for (size_t i = 0; i < DOCUMENTS; i++) {
		struct document *document = &documents.list[i];

		if (document->url != NULL && strcmp(document->url, url) == 0 &&
			clock_ms() - document->at_ms < life_ms)
			body = arena_strdup(arena, document->body);
	}
	pthread_mutex_unlock(&documents.mutex);
	return body;
}

/* In the place of the same one, or of the oldest. */
static void keep(const char *url, const char *body)
{
	struct document *place = &documents.list[0];

	pthread_mutex_lock(&documents.mutex);
	for (size_t i = 0; i < DOCUMENTS; i++) {
		struct document *document = &documents.list[i];

		if (document->url != NULL && strcmp(document->url, url) == 0) {
			place = document;
			break;
		}
		if (document->url == NULL || document->at_ms < place->at_ms)
			place = document;
	}
	free(place->url);
	free(place->body);
	*place = (struct document){ xstrdup(url), xstrdup(body), clock_ms() };
	pthread_mutex_unlock(&documents.mutex);
}

static err_t get(struct call *call, const char *url, int64_t life_ms, const char **body)
{
	struct fetch request = { .url = url };
	err_t err;

	if ((*body = find(call->arena, url, life_ms)) != NULL)
		return OK;
	if ((err = fetch(call, &request, body)) == OK)
		keep(url, *body);
	return err;
}

/* ---- the documents ---- */

static const char *url_of(struct call *call, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL && strncmp(text, "https://", 8) == 0 ? arena_strdup(call->arena, text)
								 : NULL;
}

/* HTTP Basic is what a provider takes that names nothing else. */
static bool takes_basic(const json_t *object)
{
	const json_t *methods = json_object_get(object, "token_endpoint_auth_methods_supported");
	const json_t *method;
	bool post = false;
	size_t i;

	json_array_foreach(methods, i, method)
	{
		const char *name = json_string_value(method);

		if (name != NULL && strcmp(name, "client_secret_basic") == 0)
			return true;
		post = post || (name != NULL && strcmp(name, "client_secret_post") == 0);
	}
	return !post;
}

static bool read_metadata(
	struct call *call, const char *issuer, const char *body, struct metadata *metadata)
{
	json_t *object = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
	const char *told = json_string_value(json_object_get(object, "issuer"));
	bool good = told != NULL && strcmp(told, issuer) == 0;

	*metadata = (struct metadata){
		.authorization_endpoint = url_of(call, object, "authorization_endpoint"),
		.token_endpoint = url_of(call, object, "token_endpoint"),
		.jwks_uri = url_of(call, object, "jwks_uri"),
		.basic = takes_basic(object),
	};
	json_decref(object);
	return good && metadata->authorization_endpoint != NULL &&
	       metadata->token_endpoint != NULL && metadata->jwks_uri != NULL;
}

err_t metadata_get(struct call *call, const char *issuer, struct metadata *metadata)
{
	size_t len = strlen(issuer);
	const char *slash = len > 0 && issuer[len - 1] == '/' ? "" : "/", *body;
	err_t err = get(call,
		arena_printf(call->arena, "%s%s.well-known/openid-configuration", issuer, slash),
		LIFE_MS, &body);

	if (err != OK || read_metadata(call, issuer, body, metadata))
		return err;
	return call_refuse(call, ERR_UNAVAILABLE, "provider",
		"the identity provider %s does not describe itself as OpenID Connect wants it",
		issuer);
}

err_t metadata_keys(
	struct call *call, const struct metadata *metadata, bool again, const char **jwks)
{
	return get(call, metadata->jwks_uri, again ? AGAIN_MS : LIFE_MS, jwks);
}
