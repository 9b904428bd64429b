/*
 * token: access tokens, written straight on libsodium and jansson: one algorithm, one key type.
 *
 * rhonabwy 1.1.11 was measured and left out: it inflates a payload that says `"zip":"DEF"` before
 * any signature is checked (4 KB became 3 MB), and brings libcurl and GnuTLS into every process.
 * Here a header is exactly alg, typ and kid; anything else (jku, x5u, jwk, crit, zip) is refused
 * unread, and claims are parsed only after the signature holds. All functions are thread safe.
 */
#include "lib/token.h"

#include "lib/base64.h"
#include "lib/mem.h"

#include <jansson.h>
#include <sodium.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ALGORITHM	    "EdDSA"
#define TYPE		    "at+jwt"
#define BASE64		    sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define ENCODED_LEN(n)	    (((n)*4 + 2) / 3) /* base64url without padding and NUL */
#define JSON_FLAGS	    JSON_REJECT_DUPLICATES
#define KEY_SET_MAX	    65536 /* bytes of a key set's JSON */
#define KEYS_MAX	    64
#define KEY_ID_MAX	    63
#define HEADER_MAX	    256 /* bytes of a decoded header */
#define SKEW_S		    60	/* an issuer's clock may be this much ahead of ours */
#define MEMBER_SIZE(member) sizeof(((struct token_claims *)0)->member)
#define SCOPE_SIZE	    MEMBER_SIZE(scopes[0])

struct key {
	char id[KEY_ID_MAX + 1];
	unsigned char bytes[crypto_sign_PUBLICKEYBYTES];
};

struct token_keys {
	size_t n;
	struct key keys[];
};

struct slice {
	const char *start;
	size_t len;
};

/* The parts of a compact token: "header.claims.signature". */
struct parts {
	struct slice header;
	struct slice claims;
	struct slice signature;
	struct slice is_signed; /* "header.claims" */
};

struct text_claim {
	const char *name;
	size_t offset;
	size_t min, max; /* bytes; min 0: may be absent */
};

#define TEXT_CLAIM(name, member, min)                                                              \
	{                                                                                          \
		name, offsetof(struct token_claims, member), min, MEMBER_SIZE(member) - 1          \
	}

/* clang-format off */
static const struct text_claim text_claims[] = {
	TEXT_CLAIM("jti", id, 36),
	TEXT_CLAIM("tenant", tenant, 36),
	TEXT_CLAIM("sub", subject, 1),
	TEXT_CLAIM("role", role, 0),
	TEXT_CLAIM("client_id", client, 0),
	TEXT_CLAIM("authorization", authorization, 0),
	TEXT_CLAIM("network", network, 0),
	TEXT_CLAIM("member", member, 0),
	TEXT_CLAIM("mac", mac, 0),
	TEXT_CLAIM("ipv4", ipv4, 0),
	TEXT_CLAIM("ipv6", ipv6, 0),
};

/* Claims that are there when they are true, or not 0. */
struct policy_claim {
	const char *name;
	size_t offset;
};

#define POLICY_CLAIM(member) { #member, offsetof(struct token_claims, member) }

static const struct policy_claim flag_claims[] = {
	POLICY_CLAIM(bridge),
	POLICY_CLAIM(isolated),
	POLICY_CLAIM(dhcp_server),
	POLICY_CLAIM(router),
	POLICY_CLAIM(address_guard),
	POLICY_CLAIM(no_broadcast),
	POLICY_CLAIM(no_multicast),
};

static const struct policy_claim limit_claims[] = {
	POLICY_CLAIM(storm_frames),
	POLICY_CLAIM(storm_bytes),
};
/* clang-format on */

static void json_decref_at(json_t **slot)
{
	json_decref(*slot);
}
#define AUTO_JSON __attribute__((cleanup(json_decref_at))) json_t *

/* A signing key in memory; wiped when it goes out of scope. */
struct secret {
	unsigned char seed[crypto_sign_SEEDBYTES];
	unsigned char bytes[crypto_sign_SECRETKEYBYTES];
	unsigned char public[crypto_sign_PUBLICKEYBYTES];
};

static void secret_wipe_at(struct secret *secret)
{
	sodium_memzero(secret, sizeof(*secret));
}
#define AUTO_SECRET __attribute__((cleanup(secret_wipe_at))) struct secret

static bool decode(struct slice text, unsigned char *out, size_t max, size_t *len)
{
	return base64_decode(text.start, text.len, BASE64, out, max, len);
}

/* Decodes exactly `len` bytes. */
static bool decode_exactly(struct slice text, unsigned char *out, size_t len)
{
	size_t got;

	return decode(text, out, len, &got) && got == len;
}

static struct slice member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return (struct slice){ json_string_value(value), json_string_length(value) };
}

static bool member_is(const json_t *object, const char *name, const char *wanted)
{
	struct slice value = member(object, name);

	return value.start && strcmp(value.start, wanted) == 0;
}

/* ---- keys ---- */

static bool key_read(const json_t *jwk, struct key *key)
{
	struct slice id = member(jwk, "kid"), x = member(jwk, "x");

	if (!member_is(jwk, "kty", "OKP") || !member_is(jwk, "crv", "Ed25519"))
		return false;
	if (!id.start || id.len == 0 || id.len > KEY_ID_MAX || !x.start)
		return false;
	memcpy(key->id, id.start, id.len + 1);
	return decode_exactly(x, key->bytes, sizeof(key->bytes));
}

err_t token_keys_create(struct token_keys **out, const char *jwks)
{
	size_t len = strnlen(jwks, KEY_SET_MAX + 1);
	AUTO_JSON root = len <= KEY_SET_MAX ? json_loadb(jwks, len, JSON_FLAGS, NULL) : NULL;
	const json_t *list = json_object_get(root, "keys"), *jwk;
	struct token_keys *keys;
	size_t i, n = json_array_size(list);

	if (n == 0 || n > KEYS_MAX)
		return ERR_INVALID_ARGUMENT;
	keys = xcalloc(1, sizeof(*keys) + n * sizeof(keys->keys[0]));
	json_array_foreach(list, i, jwk) if (key_read(jwk, &keys->keys[keys->n])) keys->n++;
	if (keys->n == 0) {
		free(keys);
		return ERR_INVALID_ARGUMENT;
	}
	*out = keys;
	return OK;
}

void token_keys_destroy(struct token_keys *keys)
{
	free(keys);
}

static const struct key *key_find(const struct token_keys *keys, const char *id)
{
	for (size_t i = 0; i < keys->n; i++)
		if (strcmp(keys->keys[i].id, id) == 0)
			return &keys->keys[i];
	return NULL;
}

err_t token_key_generate(const char *kid, char **private_jwk, char **public_jwk)
{
	AUTO_SECRET secret;
	char x[ENCODED_LEN(sizeof(secret.public)) + 1];
	char d[ENCODED_LEN(sizeof(secret.seed)) + 1];
	AUTO_JSON jwk = NULL;

	if (kid[0] == '\0' || strlen(kid) > KEY_ID_MAX)
		return ERR_INVALID_ARGUMENT;
	if (sodium_init() < 0)
		BUG("libsodium does not start");
	randombytes_buf(secret.seed, sizeof(secret.seed));
	crypto_sign_seed_keypair(secret.public, secret.bytes, secret.seed);
	sodium_bin2base64(x, sizeof(x), secret.public, sizeof(secret.public), BASE64);
	sodium_bin2base64(d, sizeof(d), secret.seed, sizeof(secret.seed), BASE64);
	jwk = json_pack("{ss ss ss ss ss ss}", "kty", "OKP", "crv", "Ed25519", "alg", ALGORITHM,
		"use", "sig", "kid", kid, "x", x);
	if (!jwk)
		return ERR_INVALID_ARGUMENT; /* kid is not UTF-8 */
	*public_jwk = json_dumps(jwk, JSON_COMPACT);
	json_object_set_new(jwk, "d", json_string(d));
	*private_jwk = json_dumps(jwk, JSON_COMPACT);
	sodium_memzero(d, sizeof(d));
	return OK;
}

/* ---- signing ---- */

static bool scopes_put(json_t *json, const struct token_claims *claims)
{
	char text[TOKEN_SCOPES_MAX * SCOPE_SIZE + 1] = "";
	size_t len = 0;

	if (claims->n_scopes > TOKEN_SCOPES_MAX)
		return false;
	for (size_t i = 0; i < claims->n_scopes; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? " " : "",
			claims->scopes[i]);
	return json_object_set_new(json, "scope", json_string(text)) == 0;
}

static bool policy_put(json_t *json, const struct token_claims *claims)
{
	for (size_t i = 0; i < ARRAY_LEN(flag_claims); i++)
		if (*(const bool *)((const char *)claims + flag_claims[i].offset) &&
			json_object_set_new(json, flag_claims[i].name, json_true()) != 0)
			return false;
	for (size_t i = 0; i < ARRAY_LEN(limit_claims); i++) {
		uint32_t limit = *(const uint32_t *)((const char *)claims + limit_claims[i].offset);

		if (limit != 0 &&
			json_object_set_new(json, limit_claims[i].name, json_integer(limit)) != 0)
			return false;
	}
	return claims->network_version == 0 ||
	       json_object_set_new(json, "network_version",
		       json_integer((json_int_t)claims->network_version)) == 0;
}

static json_t *claims_json(const char *issuer, const struct token_claims *claims)
{
	AUTO_JSON json = json_pack("{ss sI sI sI sI}", "iss", issuer, "iat",
		(json_int_t)claims->issued_at, "exp", (json_int_t)claims->expires_at, "mac_limit",
		(json_int_t)claims->mac_limit, "policy_version",
		(json_int_t)claims->policy_version);

	if (!json || !scopes_put(json, claims) || !policy_put(json, claims))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(text_claims); i++) {
		const char *text = (const char *)claims + text_claims[i].offset;

		if (text[0] && json_object_set_new(json, text_claims[i].name, json_string(text)))
			return NULL;
	}
	return json_incref(json);
}

/* Appends the base64url text of `bytes` and returns its length. */
static size_t encode(char *out, size_t size, const void *bytes, size_t len)
{
	sodium_bin2base64(out, size, bytes, len, BASE64);
	return strlen(out);
}

static err_t sign(const char *header, const char *claims, const unsigned char *secret, char **token)
{
	size_t size = ENCODED_LEN(strlen(header)) + 1 + ENCODED_LEN(strlen(claims)) + 1 +
		      ENCODED_LEN(crypto_sign_BYTES) + 1;
	unsigned char signature[crypto_sign_BYTES];
	size_t len;
	char *text;

	if (size > TOKEN_MAX + 1 || strlen(header) > HEADER_MAX)
		return ERR_INVALID_ARGUMENT;
	text = xmalloc(size);
	len = encode(text, size, header, strlen(header));
	text[len++] = '.';
	len += encode(text + len, size - len, claims, strlen(claims));
	crypto_sign_detached(signature, NULL, (const unsigned char *)text, len, secret);
	text[len++] = '.';
	encode(text + len, size - len, signature, sizeof(signature));
	*token = text;
	return OK;
}

/* Reads a private JWK; its two halves must belong together. */
static bool secret_read(const json_t *jwk, struct secret *secret, struct key *key)
{
	struct slice d = member(jwk, "d");

	if (!key_read(jwk, key) || !d.start ||
		!decode_exactly(d, secret->seed, sizeof(secret->seed)))
		return false;
	crypto_sign_seed_keypair(secret->public, secret->bytes, secret->seed);
	return memcmp(secret->public, key->bytes, sizeof(secret->public)) == 0;
}

err_t token_sign(const char *private_jwk, const char *issuer, const struct token_claims *claims,
	char **token)
{
	AUTO_JSON jwk = json_loads(private_jwk, JSON_FLAGS, NULL);
	AUTO_JSON body = claims_json(issuer, claims);
	AUTO_JSON head = NULL;
	AUTO_FREE char *head_text = NULL;
	AUTO_FREE char *body_text = NULL;
	AUTO_SECRET secret;
	struct key key;

	if (!body || !secret_read(jwk, &secret, &key))
		return ERR_INVALID_ARGUMENT;
	head = json_pack("{ss ss ss}", "alg", ALGORITHM, "typ", TYPE, "kid", key.id);
	head_text = json_dumps(head, JSON_COMPACT);
	body_text = json_dumps(body, JSON_COMPACT);
	return sign(head_text, body_text, secret.bytes, token);
}

/* ---- verifying ---- */

static bool split(const char *token, size_t len, struct parts *parts)
{
	const char *end = token + len;
	const char *first = memchr(token, '.', len), *second;

	if (!first)
		return false;
	second = memchr(first + 1, '.', (size_t)(end - first - 1));
	if (!second)
		return false;
	parts->header = (struct slice){ token, (size_t)(first - token) };
	parts->claims = (struct slice){ first + 1, (size_t)(second - first - 1) };
	parts->signature = (struct slice){ second + 1, (size_t)(end - second - 1) };
	parts->is_signed = (struct slice){ token, (size_t)(second - token) };
	return true;
}

static bool header_read(struct slice text, char id[KEY_ID_MAX + 1])
{
	unsigned char bytes[HEADER_MAX];
	AUTO_JSON json = NULL;
	struct slice kid;
	size_t len;

	if (!decode(text, bytes, sizeof(bytes), &len))
		return false;
	json = json_loadb((const char *)bytes, len, JSON_FLAGS, NULL);
	kid = member(json, "kid");
	if (json_object_size(json) != 3 || !member_is(json, "alg", ALGORITHM) ||
		!member_is(json, "typ", TYPE))
		return false;
	if (!kid.start || kid.len == 0 || kid.len > KEY_ID_MAX)
		return false;
	memcpy(id, kid.start, kid.len + 1);
	return true;
}

static bool text_take(const json_t *json, const struct text_claim *claim, char *out)
{
	const json_t *value = json_object_get(json, claim->name);
	size_t len = json_string_length(value);

	if (!value)
		return claim->min == 0;
	if (!json_is_string(value) || len < claim->min || len > claim->max)
		return false;
	memcpy(out, json_string_value(value), len + 1);
	return true;
}

static bool number_take(const json_t *json, const char *name, int64_t max, int64_t *out)
{
	const json_t *value = json_object_get(json, name);

	*out = json_integer_value(value);
	return json_is_integer(value) && *out >= 0 && *out <= max;
}

static bool number_take_optional(const json_t *json, const char *name, int64_t max, int64_t *out)
{
	*out = 0;
	return json_object_get(json, name) == NULL || number_take(json, name, max, out);
}

static bool policy_take(const json_t *json, struct token_claims *claims)
{
	for (size_t i = 0; i < ARRAY_LEN(flag_claims); i++) {
		const json_t *value = json_object_get(json, flag_claims[i].name);

		if (value && !json_is_boolean(value))
			return false;
		*(bool *)((char *)claims + flag_claims[i].offset) = json_is_true(value);
	}
	for (size_t i = 0; i < ARRAY_LEN(limit_claims); i++) {
		int64_t limit;

		if (!number_take_optional(json, limit_claims[i].name, UINT32_MAX, &limit))
			return false;
		*(uint32_t *)((char *)claims + limit_claims[i].offset) = (uint32_t)limit;
	}
	return number_take_optional(json, "network_version", INT64_MAX, &claims->network_version);
}

static bool scopes_take(const json_t *json, struct token_claims *claims)
{
	struct slice text = member(json, "scope");

	if (!text.start)
		return false;
	while (*text.start) {
		size_t len = strcspn(text.start, " ");

		if (len == 0 || len >= SCOPE_SIZE || claims->n_scopes == TOKEN_SCOPES_MAX)
			return false;
		memcpy(claims->scopes[claims->n_scopes++], text.start, len);
		text.start += len + (text.start[len] == ' ');
	}
	return true;
}

static bool claims_read(const json_t *json, const char *issuer, struct token_claims *claims)
{
	int64_t mac_limit;

	for (size_t i = 0; i < ARRAY_LEN(text_claims); i++)
		if (!text_take(json, &text_claims[i], (char *)claims + text_claims[i].offset))
			return false;
	if (!number_take(json, "mac_limit", UINT32_MAX, &mac_limit))
		return false;
	claims->mac_limit = (uint32_t)mac_limit;
	return member_is(json, "iss", issuer) && scopes_take(json, claims) &&
	       policy_take(json, claims) &&
	       number_take(json, "policy_version", INT64_MAX, &claims->policy_version) &&
	       number_take(json, "iat", INT64_MAX, &claims->issued_at) &&
	       number_take(json, "exp", INT64_MAX, &claims->expires_at);
}

static bool is_current(const struct token_claims *claims, int64_t now_s)
{
	return claims->issued_at <= now_s + SKEW_S && claims->issued_at < claims->expires_at &&
	       now_s < claims->expires_at;
}

err_t token_read(const struct token_keys *keys, const char *token, size_t len, const char *issuer,
	struct token_claims *claims)
{
	unsigned char signature[crypto_sign_BYTES], body[TOKEN_MAX];
	struct token_claims read = { 0 };
	char id[KEY_ID_MAX + 1];
	const struct key *key;
	AUTO_JSON json = NULL;
	struct parts parts;
	size_t body_len;

	if (len > TOKEN_MAX || !split(token, len, &parts) || !header_read(parts.header, id) ||
		!decode_exactly(parts.signature, signature, sizeof(signature)) ||
		!decode(parts.claims, body, sizeof(body), &body_len))
		return ERR_UNAUTHENTICATED;
	key = key_find(keys, id);
	if (!key)
		return ERR_NOT_FOUND;
	if (crypto_sign_verify_detached(signature, (const unsigned char *)parts.is_signed.start,
		    parts.is_signed.len, key->bytes) != 0)
		return ERR_UNAUTHENTICATED;
	json = json_loadb((const char *)body, body_len, JSON_FLAGS, NULL);
	if (!claims_read(json, issuer, &read))
		return ERR_UNAUTHENTICATED;
	*claims = read;
	return OK;
}

err_t token_verify(const struct token_keys *keys, const char *token, size_t len, const char *issuer,
	int64_t now_s, struct token_claims *claims)
{
	struct token_claims read;
	err_t err = token_read(keys, token, len, issuer, &read);

	if (err != OK)
		return err;
	if (!is_current(&read, now_s))
		return ERR_UNAUTHENTICATED;
	*claims = read;
	return OK;
}
