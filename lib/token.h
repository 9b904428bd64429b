/*
 * token: access tokens: JWS (RFC 7515) compact, EdDSA with Ed25519, typ "at+jwt" (RFC 9068), and
 * the key set (RFC 7517) that verifies them. Made by auth, verified offline by gateway and
 * dataplane. On libsodium and jansson; thread safe.
 */
#pragma once

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_MAX	 4096 /* bytes of a compact token */
#define TOKEN_SCOPES_MAX 32
#define TOKEN_CLIENT_MAX 127 /* bytes of a client_id */

struct token_claims {
	char id[37];			   /* jti: UUID */
	char tenant[37];		   /* UUID */
	char subject[64];		   /* sub: "device:UUID" */
	char role[16];			   /* or "" */
	char scopes[TOKEN_SCOPES_MAX][40]; /* as the one claim "scope", blank-separated */
	size_t n_scopes;
	char client[TOKEN_CLIENT_MAX + 1]; /* client_id, of a token that a person allowed; or "" */
	char authorization[37];		   /* UUID of what was allowed; or "" */
	char network[37];		   /* or "" */
	char member[37];		   /* or "" */
	char mac[18];			   /* "": the port's station is learned */
	char ipv4[16]; /* what the network gave the member, without prefix length; or "" */
	char ipv6[46];
	uint32_t mac_limit;
	int64_t policy_version;	 /* of the member */
	int64_t network_version; /* of the network */
	/* of the member's port: docs/dataplane.md; false and 0 when absent */
	bool bridge, isolated, dhcp_server, router, address_guard;
	/* of the whole network */
	bool no_broadcast, no_multicast;
	uint32_t storm_frames, storm_bytes;
	int64_t issued_at;  /* iat, Unix seconds */
	int64_t expires_at; /* exp */
};

/* A set of verification keys; immutable once made. */
struct token_keys;

/* From the JSON of a key set. Only Ed25519 keys are taken; none at all is ERR_INVALID_ARGUMENT. */
err_t token_keys_create(struct token_keys **out, const char *jwks) MUST_CHECK;
void token_keys_destroy(struct token_keys *keys);

/* Makes a new signing key as a private JWK (JSON text, malloc'ed) with key id `kid`, and its public
 * part. */
err_t token_key_generate(const char *kid, char **private_jwk, char **public_jwk) MUST_CHECK;

/* Signs; the token is malloc'ed. `issuer` is the claim iss. */
err_t token_sign(const char *private_jwk, const char *issuer, const struct token_claims *claims,
	char **token) MUST_CHECK;

/*
 * Verifies signature, algorithm (EdDSA only, whatever the header says), type, issuer, and times at
 * `now_s`, and fills the claims. ERR_UNAUTHENTICATED for all that is wrong, except ERR_NOT_FOUND
 * for a well-formed token whose key id is not in the set: fetch the set again, then refuse.
 */
err_t token_verify(const struct token_keys *keys, const char *token, size_t len, const char *issuer,
	int64_t now_s, struct token_claims *claims) MUST_CHECK;

/* The same, whatever its times are: for who has to tell a token that is over from a false one. */
err_t token_read(const struct token_keys *keys, const char *token, size_t len, const char *issuer,
	struct token_claims *claims) MUST_CHECK;
