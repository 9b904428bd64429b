/* id_token: any ID token, and after an empty line any key set; without one, that of the corpus. */
#include "services/auth/provider/id_token.h"

#include "lib/utf8.h"

#include <string.h>

#define KEYS                                                                                       \
	"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","                                            \
	"\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","                                   \
	"\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\",\"kid\":\"k\"}]}"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct id_token_wanted wanted = {
		.issuer = "https://id.example",
		.client_id = "lanyard",
		.nonce = "n-1",
		.user_claim = "preferred_username",
		.group_claim = "groups",
		.now = 1800000000,
	};
	struct id_token token;
	struct call call;
	char *text, *keys;

	call_init(&call, NULL, "service:fuzz", 1000);
	text = arena_strndup(call.arena, (const char *)data, len);
	if ((keys = strstr(text, "\n\n")) != NULL) {
		*keys = '\0';
		keys += 2;
	}
	if (id_token_read(&call, text, keys != NULL ? keys : KEYS, &wanted, &token) == OK &&
		(*token.subject == '\0' ||
			!utf8_valid((const uint8_t *)token.subject, strlen(token.subject))))
		BUG("somebody without a name was taken");
	call_finish(&call);
	return 0;
}
