/* recovery_code: see recovery_code.h. */
#include "services/auth/second_factor/recovery_code.h"

#include "lib/keyring.h"
#include "services/auth/letters.h"
#include "services/auth/second_factor/second_factor_store.h"

#include <string.h>

#define N_CODES 10
#define LEN	12 /* letters: 51 bits, behind a limit of tries */

static char *digest_of(struct call *call, const char *user, const char *code)
{
	const char *text = arena_printf(call->arena, "recovery %s %s", user, code);
	char *hex = arena_alloc(call->arena, KEYRING_DIGEST_HEX);

	keyring_digest(KEYRING_TYPED_CODE, (const unsigned char *)text, strlen(text), hex);
	return hex;
}

err_t recovery_code_renew(struct call *call, const char *user, size_t *n, char ***codes)
{
	char **texts = arena_alloc(call->arena, N_CODES * sizeof(*texts));
	char *digests[N_CODES];

	for (size_t i = 0; i < N_CODES; i++) {
		const char *code = letters_random(call->arena, LEN);

		digests[i] = digest_of(call, user, code);
		texts[i] = arena_printf(call->arena, "%.4s-%.4s-%.4s", code, code + 4, code + 8);
	}
	*n = N_CODES;
	*codes = texts;
	return store_recovery_codes_set(call, user, N_CODES, digests);
}

const char *recovery_code_read(struct call *call, const char *typed)
{
	return letters_read(call->arena, typed, LEN);
}

err_t recovery_code_use(struct call *call, const char *user, const char *code, bool *right)
{
	return store_recovery_code_use(call, user, digest_of(call, user, code), right);
}
