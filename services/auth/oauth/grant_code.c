/*
 * grant_code: an authorization code, once (RFC 6749 section 4.1.3, RFC 7636 section 4.6). A code
 * that comes again ends what its first use began, and stays used for ever.
 */
#include "services/auth/oauth/grant.h"

#include "services/auth/oauth/authorization.h"
#include "services/auth/oauth/oauth_store.h"

#include <sodium.h>

#include <string.h>

#define VERIFIER_MIN 43
#define VERIFIER_MAX 128
#define UNRESERVED   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

static bool is_verifier(const char *text)
{
	size_t len = strnlen(text, VERIFIER_MAX + 1);

	return len >= VERIFIER_MIN && len <= VERIFIER_MAX && strspn(text, UNRESERVED) == len;
}

/* BASE64URL(SHA256(verifier)) == challenge (RFC 7636 section 4.6). */
static bool fits_challenge(const char *verifier, const char *challenge)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char text[sodium_base64_ENCODED_LEN(
		sizeof(hash), sodium_base64_VARIANT_URLSAFE_NO_PADDING)];

	crypto_hash_sha256(hash, (const unsigned char *)verifier, strlen(verifier));
	sodium_bin2base64(
		text, sizeof(text), hash, sizeof(hash), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return strlen(challenge) == strlen(text) &&
	       sodium_memcmp(text, challenge, strlen(text)) == 0;
}

static const char *code_missing(const Auth__TokenRequest *request)
{
	if (*request->code == '\0')
		return "code";
	if (*request->redirect_uri == '\0')
		return "redirect_uri";
	return *request->client_id == '\0' ? "client_id" : NULL;
}

/* Everything that needs the row: true if the code is good; else the reply says why not. */
static bool code_fits(
	const Auth__TokenRequest *request, const struct db_rows *row, Auth__TokenReply *reply)
{
	const char *challenge = db_text(row, 0, "challenge");
	err_t done = OK;

	if (db_bool(row, 0, "expired"))
		done = grant_invalid(reply, "\"authorization_code\" expired");
	else if (strcmp(db_text(row, 0, "client_id"), request->client_id) != 0)
		done = grant_invalid_request(reply, "unexpected \"client_id\"");
	else if (strcmp(db_text(row, 0, "redirect_uri"), request->redirect_uri) != 0)
		done = grant_invalid_request(reply, "unexpected \"redirect_uri\"");
	else if (*challenge && *request->code_verifier == '\0')
		done = grant_invalid_request(reply, "missing \"code_verifier\" parameter");
	else if (*challenge && !fits_challenge(request->code_verifier, challenge))
		done = grant_invalid(reply, "invalid \"code_verifier\"");
	return done == OK && !grant_refused(reply);
}

static err_t code_again(struct call *call, const char *id, Auth__TokenReply *reply)
{
	err_t err = authorization_end(call, id, "its code was used again");

	return err == OK ? grant_invalid(reply, "\"authorization_code\" was used before") : err;
}

err_t grant_code(struct call *call, const Auth__TokenRequest *request, Auth__TokenReply *reply)
{
	const char *absent = code_missing(request);
	AUTO_ROWS row = NULL;
	struct client client;
	struct secret secret;
	err_t err;

	if (absent != NULL)
		return grant_missing(call, reply, absent);
	if (*request->code_verifier && !is_verifier(request->code_verifier))
		return grant_invalid_request(reply, "invalid \"code_verifier\"");
	if ((err = grant_find_client(call, request->client_id, request, &client, reply)) != OK ||
		grant_refused(reply))
		return err;
	if (*client.digest == '\0' && *request->code_verifier == '\0')
		return grant_missing(call, reply, "code_verifier");
	if (!secret_read(KEYRING_OAUTH_CODE, request->code, NULL, &secret))
		return grant_invalid(reply, "\"authorization_code\" has invalid signature");
	if ((err = store_code_find(call, secret.id, &row)) != OK)
		return err;
	if (!grant_is_right(call, &secret, row))
		return grant_invalid(reply, "\"authorization_code\" has invalid signature");
	if (!code_fits(request, row, reply))
		return OK;
	if (db_bool(row, 0, "used"))
		return code_again(call, secret.id, reply);
	if ((err = store_code_use(call, secret.id)) != OK)
		return err;
	return grant_begin(
		call, secret.id, row, "\"authorization_code\" is no longer authorized", reply);
}
