/* secret: see secret.h. */
#include "services/auth/secret.h"

#include "lib/base64.h"

#include <sodium.h>

#include <stdio.h>
#include <string.h>

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* The bytes behind a secret; its digest is over all of them, so that it serves no other id. */
struct raw {
	unsigned char tenant[16];
	unsigned char id[16];
	unsigned char random[32];
};

/* Which of the bytes are in the text, behind which prefix. */
static const struct form {
	const char *prefix;
	size_t skipped;
} forms[] = {
	[KEYRING_API_KEY] = { "lyk_", 0 },
	[KEYRING_ENROLMENT_KEY] = { "lye_", 0 },
	[KEYRING_DEVICE_SECRET] = { "lyd_", offsetof(struct raw, random) },
	[KEYRING_CLIENT_SECRET] = { "lyx_", 0 },
	[KEYRING_OAUTH_CODE] = { "lyc_", 0 },
	[KEYRING_REFRESH_TOKEN] = { "lyr_", 0 },
	[KEYRING_DEVICE_CODE] = { "lyo_", 0 },
	[KEYRING_SIGN_IN] = { "lys_", 0 },
	[KEYRING_INVITATION] = { "lyi_", 0 },
	[KEYRING_PROVIDER_VISIT] = { "lyp_", 0 },
	[KEYRING_BROWSER] = { "lyb_", 0 },
};

static void uuid_bytes(unsigned char bytes[16], const char *text)
{
	size_t len;

	if (sodium_hex2bin(bytes, 16, text, strlen(text), "-", &len, NULL) != 0 || len != 16)
		BUG("not checked: a UUID");
}

static void uuid_text(char text[SECRET_ID_LEN], const unsigned char bytes[16])
{
	char hex[33];

	sodium_bin2hex(hex, sizeof(hex), bytes, 16);
	snprintf(text, SECRET_ID_LEN, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		hex + 20);
}

static void fill(enum keyring_use kind, struct raw *raw, struct secret *secret)
{
	uuid_text(secret->tenant, raw->tenant);
	uuid_text(secret->id, raw->id);
	keyring_digest(kind, (const unsigned char *)raw, sizeof(*raw), secret->digest);
	sodium_memzero(raw, sizeof(*raw));
}

const char *secret_create(struct arena *arena, enum keyring_use kind, const char *tenant,
	const char *id, struct secret *secret)
{
	const struct form *form = &forms[kind];
	char text[sodium_base64_ENCODED_LEN(sizeof(struct raw), BASE64)];
	struct raw raw = { 0 };

	if (tenant)
		uuid_bytes(raw.tenant, tenant);
	uuid_bytes(raw.id, id);
	randombytes_buf(raw.random, sizeof(raw.random));
	sodium_bin2base64(text, sizeof(text), (const unsigned char *)&raw + form->skipped,
		sizeof(raw) - form->skipped, BASE64);
	fill(kind, &raw, secret);
	return arena_printf(arena, "%s%s", form->prefix, text);
}

bool secret_read(enum keyring_use kind, const char *text, const char *device, struct secret *secret)
{
	const struct form *form = &forms[kind];
	size_t prefix_len = strlen(form->prefix), wanted = sizeof(struct raw) - form->skipped, len;
	struct raw raw = { 0 };

	if (strncmp(text, form->prefix, prefix_len) != 0)
		return false;
	text += prefix_len;
	if (!base64_decode(text, strlen(text), BASE64, (unsigned char *)&raw + form->skipped,
		    wanted, &len) ||
		len != wanted)
		return false;
	if (device)
		uuid_bytes(raw.id, device);
	fill(kind, &raw, secret);
	return true;
}

bool secret_matches(const struct secret *secret, const char *digest)
{
	return strlen(digest) == sizeof(secret->digest) - 1 &&
	       sodium_memcmp(digest, secret->digest, sizeof(secret->digest) - 1) == 0;
}
