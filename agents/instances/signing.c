/* signing: see signing.h. The form of minisign is that of its manual page. */
#include "agents/instances/signing.h"

#include "lib/base64.h"

#include <string.h>

#define SECRET_WORD   "lanyard-instances-key:"
#define UNTRUSTED     "untrusted comment: "
#define TRUSTED	      "trusted comment: "
#define BASE64	      sodium_base64_VARIANT_ORIGINAL
#define SIGNATURE_LEN 88 /* of 64 bytes in Base64 */

static const char plain_algorithm[] = "Ed", hashed_algorithm[] = "ED";

/* algorithm, key id, signature */
struct blob {
	unsigned char algorithm[2], id[SIGNING_ID_BYTES], signature[crypto_sign_BYTES];
};
_Static_assert(sizeof(struct blob) == 74, "a struct of bytes has no gaps");

/* algorithm, key id, key */
struct public_blob {
	unsigned char algorithm[2], id[SIGNING_ID_BYTES], key[crypto_sign_PUBLICKEYBYTES];
};
_Static_assert(sizeof(struct public_blob) == 42, "a struct of bytes has no gaps");

static char *encode(struct arena *arena, const void *bytes, size_t len)
{
	size_t size = sodium_base64_encoded_len(len, BASE64);

	return sodium_bin2base64(arena_alloc(arena, size), size, bytes, len, BASE64);
}

/* All of `text`, and exactly `len` bytes. */
static bool decode(const char *text, size_t text_len, void *bytes, size_t len)
{
	size_t n;

	return base64_decode(text, text_len, BASE64, bytes, len, &n) && n == len;
}

/* ---- keys ---- */

void signing_create(struct signing_secret *secret)
{
	unsigned char public[crypto_sign_PUBLICKEYBYTES];

	crypto_sign_keypair(public, secret->key);
	randombytes_buf(secret->id, sizeof(secret->id));
}

char *signing_secret_write(struct arena *arena, const struct signing_secret *secret)
{
	return arena_printf(arena, SECRET_WORD "%s\n", encode(arena, secret, sizeof(*secret)));
}

bool signing_secret_read(const char *text, struct signing_secret *secret)
{
	size_t word = strlen(SECRET_WORD), len = strcspn(text, "\n");

	return strncmp(text, SECRET_WORD, word) == 0 &&
	       decode(text + word, len - word, secret, sizeof(*secret));
}

static const unsigned char *public_of(const struct signing_secret *secret)
{
	return secret->key + crypto_sign_SECRETKEYBYTES - crypto_sign_PUBLICKEYBYTES;
}

char *signing_public_plain(struct arena *arena, const struct signing_secret *secret)
{
	return encode(arena, public_of(secret), crypto_sign_PUBLICKEYBYTES);
}

char *signing_public_minisign(struct arena *arena, const struct signing_secret *secret)
{
	struct public_blob blob;

	memcpy(blob.algorithm, plain_algorithm, sizeof(blob.algorithm));
	memcpy(blob.id, secret->id, sizeof(blob.id));
	memcpy(blob.key, public_of(secret), sizeof(blob.key));
	return encode(arena, &blob, sizeof(blob));
}

bool signing_public_read(const char *text, struct signing_public *public)
{
	struct public_blob blob;

	*public = (struct signing_public){ .has_id = false };
	if (decode(text, strlen(text), public->key, sizeof(public->key)))
		return true;
	if (!decode(text, strlen(text), &blob, sizeof(blob)) ||
		memcmp(blob.algorithm, plain_algorithm, sizeof(blob.algorithm)) != 0)
		return false;
	memcpy(public->key, blob.key, sizeof(blob.key));
	memcpy(public->id, blob.id, sizeof(blob.id));
	public->has_id = true;
	return true;
}

/* ---- signing ---- */

static void sign(const struct signing_secret *secret, const void *text, size_t len,
	unsigned char signature[crypto_sign_BYTES])
{
	crypto_sign_detached(signature, NULL, text, len, secret->key);
}

char *signing_detached(
	struct arena *arena, const struct signing_secret *secret, const char *text, size_t len)
{
	unsigned char signature[crypto_sign_BYTES];

	sign(secret, text, len, signature);
	return encode(arena, signature, sizeof(signature));
}

static void hash(const char *text, size_t len, unsigned char digest[crypto_generichash_BYTES_MAX])
{
	crypto_generichash(
		digest, crypto_generichash_BYTES_MAX, (const unsigned char *)text, len, NULL, 0);
}

/* What the signature of the comment is over. */
static char *commented(struct arena *arena, const unsigned char signature[crypto_sign_BYTES],
	const char *comment, size_t comment_len, size_t *len)
{
	char *text = arena_alloc(arena, crypto_sign_BYTES + comment_len + 1);

	memcpy(text, signature, crypto_sign_BYTES);
	memcpy(text + crypto_sign_BYTES, comment, comment_len);
	*len = crypto_sign_BYTES + comment_len;
	return text;
}

char *signing_minisign(struct arena *arena, const struct signing_secret *secret, const char *text,
	size_t len, const char *comment)
{
	unsigned char digest[crypto_generichash_BYTES_MAX], global[crypto_sign_BYTES];
	struct blob blob;
	char *both;
	size_t both_len;

	hash(text, len, digest);
	memcpy(blob.algorithm, hashed_algorithm, sizeof(blob.algorithm));
	memcpy(blob.id, secret->id, sizeof(blob.id));
	sign(secret, digest, sizeof(digest), blob.signature);
	both = commented(arena, blob.signature, comment, strlen(comment), &both_len);
	sign(secret, both, both_len, global);
	return arena_printf(arena,
		UNTRUSTED "signature from lanyard instances\n%s\n" TRUSTED "%s\n%s\n",
		encode(arena, &blob, sizeof(blob)), comment, encode(arena, global, sizeof(global)));
}

/* ---- checking ---- */

static bool is_good(const struct signing_public *public, const void *text, size_t len,
	const unsigned char signature[crypto_sign_BYTES])
{
	return crypto_sign_verify_detached(signature, text, len, public->key) == 0;
}

const char *signing_check_detached(
	const struct signing_public *public, const char *text, size_t len, const char *signature)
{
	unsigned char bytes[crypto_sign_BYTES];
	size_t signature_len = strcspn(signature, "\r\n");

	if (signature_len != SIGNATURE_LEN ||
		!decode(signature, signature_len, bytes, sizeof(bytes)))
		return "the signature is not 64 bytes in Base64";
	return is_good(public, text, len, bytes) ? NULL
						 : "the signature is not of this file and key";
}

struct lines {
	const char *line[4];
	size_t len[4];
};

static bool split(const char *text, struct lines *lines)
{
	for (size_t i = 0; i < ARRAY_LEN(lines->line); i++) {
		size_t step = strcspn(text, "\n");

		if (text[step] != '\n')
			return false;
		lines->line[i] = text;
		lines->len[i] = step > 0 && text[step - 1] == '\r' ? step - 1 : step;
		text += step + 1;
	}
	return true;
}

/* The first signature is over the file, or over its hash. */
static bool file_is_good(
	const struct signing_public *public, const char *text, size_t len, const struct blob *blob)
{
	unsigned char digest[crypto_generichash_BYTES_MAX];

	if (memcmp(blob->algorithm, plain_algorithm, sizeof(blob->algorithm)) == 0)
		return is_good(public, text, len, blob->signature);
	hash(text, len, digest);
	return memcmp(blob->algorithm, hashed_algorithm, sizeof(blob->algorithm)) == 0 &&
	       is_good(public, digest, sizeof(digest), blob->signature);
}

const char *signing_check_minisign(
	const struct signing_public *public, const char *text, size_t len, const char *signature)
{
	unsigned char global[crypto_sign_BYTES];
	size_t word = strlen(TRUSTED), both_len;
	AUTO_ARENA arena = arena_create();
	struct lines lines;
	struct blob blob;
	char *both;

	if (!split(signature, &lines) ||
		strncmp(lines.line[0], UNTRUSTED, strlen(UNTRUSTED)) != 0 ||
		strncmp(lines.line[2], TRUSTED, word) != 0 ||
		!decode(lines.line[1], lines.len[1], &blob, sizeof(blob)) ||
		!decode(lines.line[3], lines.len[3], global, sizeof(global)))
		return "the signature has not the form of minisign";
	if (public->has_id && memcmp(public->id, blob.id, sizeof(blob.id)) != 0)
		return "the signature is of another key";
	if (!file_is_good(public, text, len, &blob))
		return "the signature is not of this file and key";
	both = commented(
		arena, blob.signature, lines.line[2] + word, lines.len[2] - word, &both_len);
	return is_good(public, both, both_len, global) ? NULL : "the trusted comment was changed";
}
