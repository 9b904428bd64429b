/*
 * visit: a browser is sent to an identity provider and comes back with a code, which becomes a
 * sign-in here (OpenID Connect Core 1.0 section 3.1, RFC 7636). The state is a digest of the
 * browser's own secret: nobody else's browser can come back with it. Runs in the thread of the
 * call, which waits for the provider.
 */
#include "services/auth/provider/provider.h"

#include "lib/check.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "services/auth/oauth/sign_in.h"
#include "services/auth/provider/fetch.h"
#include "services/auth/provider/metadata.h"
#include "services/auth/secret.h"
#include "services/auth/store.h"

#include <curl/curl.h>
#include <jansson.h>
#include <sodium.h>

#include <string.h>

#define TARGET_MAX 4096
#define CODE_MAX   4096
#define RANDOM	   32
#define BASE64	   sodium_base64_VARIANT_URLSAFE_NO_PADDING

err_t visit_purge(struct call *call)
{
	return store_visit_purge(call);
}

static const char *base64url(struct arena *arena, const unsigned char *bytes, size_t len)
{
	size_t size = sodium_base64_ENCODED_LEN(len, BASE64);

	return sodium_bin2base64(arena_alloc(arena, size), size, bytes, len, BASE64);
}

static const char *random_text(struct arena *arena)
{
	unsigned char random[RANDOM];

	randombytes_buf(random, sizeof(random));
	return base64url(arena, random, sizeof(random));
}

static const char *challenge_of(struct arena *arena, const char *verifier)
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, (const unsigned char *)verifier, strlen(verifier));
	return base64url(arena, hash, sizeof(hash));
}

/* "&NAME=VALUE", the value escaped. */
static const char *parameter(struct arena *arena, const char *name, const char *value)
{
	char *escaped = curl_easy_escape(NULL, value, 0);
	const char *text = arena_printf(arena, "&%s=%s", name, escaped);

	curl_free(escaped);
	return text;
}

/* ---- going ---- */

static err_t check_begin(struct call *call, const Auth__BeginVisitRequest *request)
{
	err_t err;

	if ((err = check_uuid(call, "provider", request->provider)) != OK ||
		(err = check_text(call, "target", request->target, 1, TARGET_MAX)) != OK)
		return err;
	if (request->target[0] != '/' || request->target[1] == '/' || request->target[1] == '\\')
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, "target", "expected a path of this site");
	return OK;
}

static char *authorization_url(struct call *call, const Auth__IdentityProvider *provider,
	const struct metadata *metadata, const Auth__BeginVisitRequest *request,
	const struct store_visit *visit, const char *verifier)
{
	struct arena *arena = call->arena;
	const char *endpoint = metadata->authorization_endpoint;

	return arena_printf(arena,
		"%s%sresponse_type=code&scope=openid%%20profile%%20email"
		"&code_challenge_method=S256%s%s%s%s%s",
		endpoint, strchr(endpoint, '?') != NULL ? "&" : "?",
		parameter(arena, "client_id", provider->client_id),
		parameter(arena, "redirect_uri", request->redirect_uri),
		parameter(arena, "state", visit->digest), parameter(arena, "nonce", visit->nonce),
		parameter(arena, "code_challenge", challenge_of(arena, verifier)));
}

err_t begin_visit(struct call *call, const Auth__BeginVisitRequest *request, Auth__Visit *reply)
{
	Auth__IdentityProvider provider = AUTH__IDENTITY_PROVIDER__INIT;
	struct store_visit visit = { .target = request->target, .provider = request->provider };
	const char *verifier = random_text(call->arena);
	struct metadata metadata;
	struct secret secret;
	err_t err;

	if ((err = check_begin(call, request)) != OK ||
		(err = store_provider_get(call, request->provider, &provider, NULL)) != OK ||
		(err = metadata_get(call, provider.issuer, &metadata)) != OK ||
		(err = store_new_id(call, &visit.id)) != OK)
		return err;
	reply->secret = (char *)(uintptr_t)secret_create(
		call->arena, KEYRING_PROVIDER_VISIT, call->tenant, visit.id, &secret);
	visit.digest = secret.digest;
	visit.nonce = random_text(call->arena);
	visit.verifier = keyring_seal(call->arena, KEYRING_PROVIDER, verifier);
	reply->url = authorization_url(call, &provider, &metadata, request, &visit, verifier);
	return store_visit_create(call, &visit);
}

/* ---- coming back ---- */

/* What is known of a browser that has come back. */
struct guest {
	Auth__IdentityProvider provider;
	struct metadata metadata;
	const char *client_secret, *verifier, *nonce;
};

/* The visit of this browser, once; `rows` empty: there is none. */
static err_t take(struct call *call, const Auth__EndVisitRequest *request, struct db_rows **rows)
{
	struct secret secret;
	err_t err;

	if (!secret_read(KEYRING_PROVIDER_VISIT, request->secret, NULL, &secret) ||
		strcmp(secret.tenant, call->tenant) != 0 ||
		!secret_matches(&secret, request->state))
		return OK;
	if ((err = store_visit_take(call, secret.id, rows)) != OK)
		return err;
	if (db_count(*rows) > 0 && !secret_matches(&secret, db_text(*rows, 0, "digest")))
		db_rows_destroy_at(rows);
	return OK;
}

static err_t know(struct call *call, const struct db_rows *rows, struct guest *guest)
{
	const char *sealed;
	err_t err;

	guest->nonce = arena_strdup(call->arena, db_text(rows, 0, "nonce"));
	if ((err = store_provider_get(
		     call, db_text(rows, 0, "provider_id"), &guest->provider, &sealed)) != OK ||
		(err = keyring_unseal(
			 call->arena, KEYRING_PROVIDER, sealed, &guest->client_secret)) != OK ||
		(err = keyring_unseal(call->arena, KEYRING_PROVIDER, db_text(rows, 0, "verifier"),
			 &guest->verifier)) != OK)
		return err;
	return metadata_get(call, guest->provider.issuer, &guest->metadata);
}

/* The token endpoint (OpenID Connect Core 1.0 section 3.1.3). */
static err_t exchange(struct call *call, const Auth__EndVisitRequest *request,
	const struct guest *guest, const char **id_token)
{
	struct arena *arena = call->arena;
	bool basic = guest->metadata.basic && *guest->client_secret;
	const char *escaped_id = parameter(arena, "client_id", guest->provider.client_id);
	const char *escaped_secret = parameter(arena, "client_secret", guest->client_secret);
	struct fetch post = { .url = guest->metadata.token_endpoint };
	const char *body, *text;
	json_t *reply;
	err_t err;

	post.form = arena_printf(arena, "grant_type=authorization_code%s%s%s%s%s",
		parameter(arena, "code", request->code),
		parameter(arena, "redirect_uri", request->redirect_uri),
		parameter(arena, "code_verifier", guest->verifier), basic ? "" : escaped_id,
		basic || *guest->client_secret == '\0' ? "" : escaped_secret);
	if (basic) { /* both parts escaped, RFC 6749 section 2.3.1 */
		post.user = strchr(escaped_id, '=') + 1;
		post.password = strchr(escaped_secret, '=') + 1;
	}
	if ((err = fetch(call, &post, &body)) != OK)
		return err;
	reply = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
	text = json_string_value(json_object_get(reply, "id_token"));
	*id_token = arena_strdup(arena, text != NULL ? text : "");
	json_decref(reply);
	return OK;
}

/* A key that is not known may be a new one. */
static err_t verify(
	struct call *call, const char *id_token, const struct guest *guest, struct id_token *out)
{
	struct id_token_wanted wanted = {
		.issuer = guest->provider.issuer,
		.client_id = guest->provider.client_id,
		.nonce = guest->nonce,
		.user_claim = guest->provider.user_claim,
		.group_claim = guest->provider.group_claim,
		.now = clock_unix_ms() / 1000,
	};
	const char *jwks;
	err_t err = metadata_keys(call, &guest->metadata, false, &jwks);

	if (err != OK)
		return err;
	err = id_token_read(call, id_token, jwks, &wanted, out);
	if (err != ERR_NOT_FOUND)
		return err;
	if ((err = metadata_keys(call, &guest->metadata, true, &jwks)) != OK)
		return err;
	err = id_token_read(call, id_token, jwks, &wanted, out);
	return err == ERR_NOT_FOUND ? ERR_UNAUTHENTICATED : err;
}

static err_t fail(Auth__VisitEnd *reply, const char *why)
{
	reply->error = (char *)(uintptr_t)why;
	return OK;
}

static err_t enter(struct call *call, const Auth__EndVisitRequest *request,
	const struct guest *guest, Auth__VisitEnd *reply)
{
	struct id_token token;
	const char *text, *user = "", *wrong = NULL;
	err_t err = exchange(call, request, guest, &text);

	if (err != OK)
		return err;
	err = verify(call, text, guest, &token);
	if (err == ERR_UNAUTHENTICATED) {
		LOG_THROTTLED(LOG_LEVEL_WARN, "id_token_refused", "tenant=%s issuer=%s reason=%s",
			call->tenant, log_value(guest->provider.issuer),
			log_value(call->fault.detail));
		return fail(reply, "Your identity provider's word was not good.");
	}
	if (err != OK || (err = account_user(call, &guest->provider, &token, &user, &wrong)) != OK)
		return err;
	if (wrong != NULL)
		return fail(reply, wrong);
	reply->sign_in = arena_alloc(call->arena, sizeof(*reply->sign_in));
	auth__sign_in__init(reply->sign_in);
	return sign_in_create(call, user, request->address, request->agent, reply->sign_in);
}

err_t end_visit(struct call *call, const Auth__EndVisitRequest *request, Auth__VisitEnd *reply)
{
	struct guest guest = { .provider = AUTH__IDENTITY_PROVIDER__INIT };
	AUTO_ROWS rows = NULL;
	err_t err;

	if ((err = check_text(call, "code", request->code, 0, CODE_MAX)) != OK ||
		(err = take(call, request, &rows)) != OK)
		return err;
	if (rows == NULL || db_count(rows) == 0)
		return fail(reply, "This sign-in was not begun in this browser, or too long ago.");
	reply->target = arena_strdup(call->arena, db_text(rows, 0, "target"));
	if (*request->code == '\0')
		return fail(reply, "Your identity provider did not let you in.");
	if ((err = know(call, rows, &guest)) != OK)
		return err;
	return enter(call, request, &guest, reply);
}
