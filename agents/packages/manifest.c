/* manifest: see manifest.h. */
#include "agents/packages/manifest.h"

#include "agents/document.h"

#include "lib/mem.h"
#include "lib/tls_signature.h"

#include <sodium.h>

#include <string.h>

#define HEX	    "0123456789abcdef"
#define FILE_CHARS  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
#define POLL_MIN_S  10
#define POLL_MAX_S  86400
#define VERSION_MAX (INT64_C(1) << 53) /* what every JSON has exactly */

static err_t refuse(struct fault *fault, const char *field, const char *expected)
{
	return fault_set(fault, ERR_INVALID_ARGUMENT, field, "the manifest: %s: expected %s", field,
		expected);
}

/* Absent, of another type or out of range: false. */
static bool take_number(
	const json_t *object, const char *member, int64_t min, int64_t max, int64_t *out)
{
	const json_t *value = json_object_get(object, member);

	if (!json_is_integer(value) || json_integer_value(value) < min ||
		json_integer_value(value) > max)
		return false;
	*out = json_integer_value(value);
	return true;
}

static bool is_digest(const json_t *object, const char *member, char out[MANIFEST_DIGEST_SIZE])
{
	return document_text(
		object, member, HEX, MANIFEST_DIGEST_SIZE - 1, out, MANIFEST_DIGEST_SIZE);
}

static void digest_of(const char *text, size_t len, char out[MANIFEST_DIGEST_SIZE])
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, (const unsigned char *)text, len);
	sodium_bin2hex(out, MANIFEST_DIGEST_SIZE, hash, sizeof(hash));
}

/* ---- the signed text ---- */

/* A name without a dot at its beginning leads nowhere else, and hides nothing. */
static bool read_file(const json_t *object, struct manifest_file *file)
{
	int64_t size;

	if (!json_is_object(object) ||
		!document_text(object, "name", FILE_CHARS, 1, file->name, sizeof(file->name)) ||
		file->name[0] == '.' || !take_number(object, "size", 0, REPLY_MAX, &size) ||
		!is_digest(object, "sha256", file->sha256))
		return false;
	file->size = (uint32_t)size;
	return true;
}

static bool read_files(const json_t *list, struct manifest *manifest)
{
	size_t n = json_array_size(list);

	if (n < 1 || n > MANIFEST_FILES_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!read_file(json_array_get(list, i), &manifest->files[i]))
			return false;
		for (size_t other = 0; other < i; other++)
			if (strcmp(manifest->files[i].name, manifest->files[other].name) == 0)
				return false;
	}
	manifest->n_files = (unsigned)n;
	return true;
}

static bool is_for(const json_t *object, const char *member, const char *wanted)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text != NULL && strcmp(text, wanted) == 0;
}

err_t manifest_read_text(struct manifest *manifest, const char *text,
	const struct manifest_trust *trust, struct fault *fault)
{
	AUTO_DOCUMENT object = document_read(text, strlen(text));
	int64_t package;

	if (object == NULL)
		return refuse(fault, "manifest", "a JSON object in it");
	if (!is_for(object, "tenant", trust->tenant) || !is_for(object, "device", trust->device))
		return refuse(fault, "device", "this device of this tenant");
	if (!take_number(object, "version", 1, VERSION_MAX, &manifest->version))
		return refuse(fault, "version", "a number from 1");
	if (!take_number(object, "package", 1, INT32_MAX, &package))
		return refuse(fault, "package", "a number from 1");
	manifest->package = (uint32_t)package;
	if (!read_files(json_object_get(object, "files"), manifest))
		return refuse(fault, "files", "1 to 16, with plain names, sizes and digests");
	digest_of(text, strlen(text), manifest->digest);
	return OK;
}

/* ---- around it ---- */

err_t manifest_read(struct manifest *manifest, const char *body, size_t len,
	const struct manifest_trust *trust, char **roots, struct fault *fault)
{
	AUTO_DOCUMENT reply = document_read(body, len);
	const struct signed_text text = {
		json_string_value(json_object_get(reply, "manifest")),
		json_string_value(json_object_get(reply, "signature")),
		json_string_value(json_object_get(reply, "chain")),
	};
	const char *believed = trust->roots != NULL
				       ? trust->roots
				       : json_string_value(json_object_get(reply, "trust"));
	int64_t poll_s;
	err_t err;

	if (text.text == NULL || text.signature == NULL || text.chain == NULL || believed == NULL)
		return refuse(fault, "manifest", "manifest, signature, chain and trust as texts");
	if (!take_number(reply, "poll_s", POLL_MIN_S, POLL_MAX_S, &poll_s))
		return refuse(fault, "poll_s", "10 to 86400 seconds");
	if ((err = tls_signature_check(&text, believed, fault)) != OK ||
		(err = manifest_read_text(manifest, text.text, trust, fault)) != OK)
		return err;
	manifest->poll_s = (uint32_t)poll_s;
	*roots = xstrdup(believed);
	return OK;
}

bool manifest_fits(const struct manifest_file *file, const char *text, size_t len)
{
	char digest[MANIFEST_DIGEST_SIZE];

	digest_of(text, len, digest);
	return len == file->size && strcmp(digest, file->sha256) == 0;
}
