/* foreign_token: see foreign_token.h. */
#include "services/auth/federation/foreign_token.h"

#include "lib/base64.h"
#include "services/auth/auto_json.h"

#include <string.h>
#include <time.h>

#define TOKEN_MAX 4096 /* bytes of its text */

/* The claims are read only when a key has signed them. */
static bool is_signed(const unsigned char *bytes, size_t len, const struct foreign_key keys[],
	size_t n_keys, size_t *key)
{
	for (*key = 0; *key < n_keys; (*key)++)
		if (crypto_sign_verify_detached(bytes, bytes + crypto_sign_BYTES,
			    len - crypto_sign_BYTES, keys[*key].bytes) == 0)
			return true;
	return false;
}

static bool read_text(
	struct arena *arena, const json_t *claims, const char *name, const char **text)
{
	const char *value = json_string_value(json_object_get(claims, name));

	if (value == NULL || *value == '\0' || strlen(value) > FOREIGN_TOKEN_TEXT_MAX)
		return false;
	*text = arena_strdup(arena, value);
	return true;
}

/* As PHP's DATE_ATOM: 2016-01-01T01:00:00+00:00 */
static bool read_time(const json_t *claims, int64_t *unix_s)
{
	const char *text = json_string_value(json_object_get(claims, "expires_at"));
	struct tm time = { 0 };
	const char *end;
	long offset_s;

	if (text == NULL || strlen(text) != strlen("2016-01-01T01:00:00+00:00"))
		return false;
	end = strptime(text, "%Y-%m-%dT%H:%M:%S%z", &time);
	if (end == NULL || *end != '\0')
		return false;
	offset_s = time.tm_gmtoff;
	*unix_s = timegm(&time) - offset_s;
	return true;
}

static bool read_claims(
	struct arena *arena, const char *text, size_t len, struct foreign_token *token)
{
	AUTO_JSON claims = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const char *type = json_string_value(json_object_get(claims, "type"));

	return type != NULL && strcmp(type, "access_token") == 0 &&
	       read_text(arena, claims, "auth_key", &token->auth_key) &&
	       read_text(arena, claims, "user_id", &token->user_id) &&
	       read_text(arena, claims, "client_id", &token->client_id) &&
	       read_text(arena, claims, "scope", &token->scope) &&
	       read_time(claims, &token->expires_at);
}

bool foreign_token_read(struct arena *arena, const char *text, const struct foreign_key keys[],
	size_t n_keys, struct foreign_token *token)
{
	unsigned char bytes[TOKEN_MAX];
	size_t text_len = strnlen(text, TOKEN_MAX + 1), len;

	*token = (struct foreign_token){ 0 };
	return text_len <= TOKEN_MAX &&
	       base64_decode(text, text_len, sodium_base64_VARIANT_URLSAFE_NO_PADDING, bytes,
		       sizeof(bytes), &len) &&
	       len > crypto_sign_BYTES && is_signed(bytes, len, keys, n_keys, &token->key) &&
	       read_claims(arena, (const char *)bytes + crypto_sign_BYTES, len - crypto_sign_BYTES,
		       token);
}
