/* id_token: see id_token.h. */
#include "services/auth/provider/id_token.h"

#include "lib/check.h"
#include "lib/mem.h"
#include "services/auth/auto_json.h"

#include <cjose/cjose.h>
#include <sodium.h>

#include <stdbool.h>
#include <string.h>

#define LEEWAY_S    60
#define SUBJECT_MAX 255 /* OpenID Connect Core 1.0 section 2 */
#define TEXT_MAX    128

static void jws_free(cjose_jws_t **slot)
{
	cjose_jws_release(*slot);
}
#define AUTO_JWS __attribute__((cleanup(jws_free))) cjose_jws_t *

static void jwk_free(cjose_jwk_t **slot)
{
	cjose_jwk_release(*slot);
}
#define AUTO_JWK __attribute__((cleanup(jwk_free))) cjose_jwk_t *

static err_t refuse(struct call *call, const char *why)
{
	return call_refuse(call, ERR_UNAUTHENTICATED, "id_token", "%s", why);
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

/* ---- the signature ---- */

/* cjose 0.6.2 ends the process at some text that is no base64url: none gets there. */
static bool is_base64url(const char *text, size_t len)
{
	return len > 0 && len % 4 != 1 &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") >=
		       len;
}

/* Three parts (RFC 7515 section 7.1). */
static bool is_compact(const char *token)
{
	for (int part = 0; part < 3; part++) {
		size_t len = strcspn(token, ".");

		if (!is_base64url(token, len))
			return false;
		token += len;
		if (part < 2 && *token++ != '.')
			return false;
	}
	return *token == '\0';
}

/* The one type of key that goes with an algorithm: a public key is never taken for a secret. */
static const char *type_of(const char *algorithm)
{
	if (strcmp(algorithm, "RS256") == 0)
		return "RSA";
	return strcmp(algorithm, "ES256") == 0 ? "EC" : NULL;
}

static bool fits(const json_t *key, const char *type, const char *kid)
{
	const char *use = text_of(key, "use");

	return strcmp(text_of(key, "kty"), type) == 0 &&
	       (*use == '\0' || strcmp(use, "sig") == 0) &&
	       (*kid == '\0' || strcmp(text_of(key, "kid"), kid) == 0);
}

/* What of a key is public and counts; NULL if a number in it is no base64url. */
static char *public_part(const json_t *key)
{
	static const char *const names[] = { "kty", "crv", "n", "e", "x", "y" };
	AUTO_JSON public = json_object();

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *text = text_of(key, names[i]);

		if (*text == '\0')
			continue;
		if (strlen(names[i]) == 1 && !is_base64url(text, strlen(text)))
			return NULL;
		json_object_set_new(public, names[i], json_string(text));
	}
	return json_dumps(public, JSON_COMPACT);
}

static bool is_signed_with(cjose_jws_t *jws, const json_t *key)
{
	char *text = public_part(key);
	cjose_err error;
	AUTO_JWK jwk = text != NULL ? cjose_jwk_import(text, strlen(text), &error) : NULL;

	free(text);
	return jwk != NULL && cjose_jws_verify(jws, jwk, &error);
}

static err_t verify(struct call *call, cjose_jws_t *jws, const char *jwks)
{
	cjose_header_t *header = cjose_jws_get_protected(jws);
	cjose_err error;
	const char *algorithm = cjose_header_get(header, CJOSE_HDR_ALG, &error);
	const char *kid = cjose_header_get(header, CJOSE_HDR_KID, &error);
	const char *type = algorithm != NULL ? type_of(algorithm) : NULL;
	AUTO_JSON set = json_loads(jwks, JSON_REJECT_DUPLICATES, NULL);
	const json_t *key;
	bool found = false;
	size_t i;

	if (type == NULL)
		return refuse(call, "expected the algorithm RS256 or ES256");
	json_array_foreach(json_object_get(set, "keys"), i, key)
	{
		if (!fits(key, type, kid != NULL ? kid : ""))
			continue;
		found = true;
		if (is_signed_with(jws, key))
			return OK;
	}
	if (found)
		return refuse(call, "its signature is not right");
	return call_refuse(call, ERR_NOT_FOUND, "id_token", "signed with an unknown key");
}

/* ---- the claims ---- */

static bool is_for(const json_t *claims, const char *client_id)
{
	const json_t *audience = json_object_get(claims, "aud"), *one;
	const char *party = text_of(claims, "azp");
	bool found = strcmp(text_of(claims, "aud"), client_id) == 0;
	size_t i;

	json_array_foreach(audience, i, one) found =
		found || (json_is_string(one) && strcmp(json_string_value(one), client_id) == 0);
	if (*party != '\0' || json_array_size(audience) > 1)
		return found && strcmp(party, client_id) == 0;
	return found;
}

static bool is_nonce(const char *told, const char *wanted)
{
	return strlen(told) == strlen(wanted) && sodium_memcmp(told, wanted, strlen(wanted)) == 0;
}

static err_t check_claims(
	struct call *call, const json_t *claims, const struct id_token_wanted *wanted)
{
	const json_t *expires = json_object_get(claims, "exp");
	const json_t *issued = json_object_get(claims, "iat");

	if (strcmp(text_of(claims, "iss"), wanted->issuer) != 0)
		return refuse(call, "it is of another issuer");
	if (!is_for(claims, wanted->client_id))
		return refuse(call, "it is for another client");
	if (!json_is_integer(expires) || !json_is_integer(issued))
		return refuse(call, "expected the times exp and iat");
	if (json_integer_value(expires) <= wanted->now - LEEWAY_S)
		return refuse(call, "it has expired");
	if (json_integer_value(issued) > wanted->now + LEEWAY_S)
		return refuse(call, "it is from the future; are the clocks right?");
	if (!is_nonce(text_of(claims, "nonce"), wanted->nonce))
		return refuse(call, "it is of another sign-in");
	if (check_text(call, "sub", text_of(claims, "sub"), 1, SUBJECT_MAX) != OK)
		return refuse(call, "expected a subject");
	return OK;
}

/* A claim that is a text or a list of texts; what is anything else is passed over. */
static void read_groups(struct call *call, const json_t *claim, struct id_token *out)
{
	size_t n = json_is_string(claim) ? 1 : json_array_size(claim);

	out->groups = arena_alloc(call->arena, (ID_TOKEN_GROUPS_MAX + 1) * sizeof(*out->groups));
	for (size_t i = 0; i < n && out->n_groups < ID_TOKEN_GROUPS_MAX; i++) {
		const json_t *one = json_is_string(claim) ? claim : json_array_get(claim, i);
		const char *text = json_string_value(one);

		if (text != NULL && check_text(call, "group", text, 1, TEXT_MAX) == OK)
			out->groups[out->n_groups++] = arena_strdup(call->arena, text);
	}
}

static void read_claims(struct call *call, const json_t *claims,
	const struct id_token_wanted *wanted, struct id_token *out)
{
	const char *user = text_of(claims, wanted->user_claim);

	*out = (struct id_token){ .subject = arena_strdup(call->arena, text_of(claims, "sub")) };
	if (check_text(call, "user", user, 1, TEXT_MAX) != OK)
		user = "";
	out->user = arena_strdup(call->arena, user);
	read_groups(call,
		*wanted->group_claim ? json_object_get(claims, wanted->group_claim) : NULL, out);
}

err_t id_token_read(struct call *call, const char *token, const char *jwks,
	const struct id_token_wanted *wanted, struct id_token *out)
{
	size_t len = strnlen(token, ID_TOKEN_MAX + 1), text_len = 0;
	cjose_err error;
	bool good = len <= ID_TOKEN_MAX && is_compact(token);
	AUTO_JWS jws = good ? cjose_jws_import(token, len, &error) : NULL;
	AUTO_JSON claims = NULL;
	uint8_t *text = NULL;
	err_t err;

	if (jws == NULL)
		return refuse(call, "expected a signed token");
	if ((err = verify(call, jws, jwks)) != OK)
		return err;
	if (cjose_jws_get_plaintext(jws, &text, &text_len, &error))
		claims = json_loadb((const char *)text, text_len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(claims))
		return refuse(call, "expected an object of claims");
	if ((err = check_claims(call, claims, wanted)) != OK)
		return err;
	read_claims(call, claims, wanted, out);
	return OK;
}
