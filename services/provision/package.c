/* package: see package.h. Plain ustar through libarchive: owner, mode and time are the same always.
 */
#include "services/provision/package.h"

#include <archive.h>
#include <archive_entry.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <stdlib.h>
#include <string.h>

#define RECORD	 10240	       /* what every tar pads an archive to */
#define ARCHIVED PACKAGE_AGENT /* the files before it */
#define COPIES	 "vpn/"
#define TAR_ROOM (2 * ARCHIVED * (PACKAGE_FILE_MAX + 1024) + RECORD)

const char *const package_names[PACKAGE_FILES] = { "ca.crt", "client.conf", "ta.key", "credentials",
	"agent.json" };

/* ---- names ---- */

/* The next of words with one space between; NULL if it can't be the name of a file. */
static const char *next_name(struct arena *arena, const char **text)
{
	size_t len = strspn(*text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789._-");
	const char *name = arena_strndup(arena, *text, len);

	*text += len;
	return len > 0 && len <= PACKAGE_NAME_MAX && *name != '.' ? name : NULL;
}

static bool is_among(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* Agents have two more files with names of their own (package_agent_files). */
err_t package_check_names(struct call *call, const char *file_names)
{
	const char *names[ARCHIVED], *at = file_names;
	size_t n = 0;

	do {
		const char *name = next_name(call->arena, &at);

		if (name == NULL || is_among(name, names, n) ||
			strcmp(name, package_names[PACKAGE_AGENT]) == 0 ||
			(n != PACKAGE_CA && strcmp(name, package_names[PACKAGE_CA]) == 0))
			break;
		names[n++] = name;
	} while (n < ARCHIVED && *at++ == ' ');
	if (n == ARCHIVED && *at == '\0')
		return OK;
	return call_refuse(call, ERR_INVALID_ARGUMENT, "file_names",
		"expected %d different names for ca.crt, client.conf, ta.key and credentials, with"
		" one space between: at most %d letters, digits and ._- each; not agent.json, and"
		" ca.crt only as the first",
		ARCHIVED, PACKAGE_NAME_MAX);
}

void package_set_names(
	struct arena *arena, struct package *package, const char *file_names, bool vpn_copies)
{
	const char *at = file_names;

	for (size_t i = 0; i < ARCHIVED; i++, at += *at != '\0')
		if ((package->names[i] = next_name(arena, &at)) == NULL)
			BUG("names of files that were not checked");
	package->names[PACKAGE_AGENT] = package_names[PACKAGE_AGENT];
	package->file_names = arena_strdup(arena, file_names);
	package->vpn_copies = vpn_copies;
}

size_t package_agent_files(
	const struct package *package, struct package_member members[PACKAGE_FILES + 1])
{
	size_t n = 0;

	for (; n < PACKAGE_FILES; n++)
		members[n] = (struct package_member){ package->names[n], package->files[n] };
	if (strcmp(package->names[PACKAGE_CA], package_names[PACKAGE_CA]) != 0)
		members[n++] = (struct package_member){ package_names[PACKAGE_CA],
			package->files[PACKAGE_CA] };
	return n;
}

/* ---- digests ---- */

void package_sha256(const char *bytes, size_t len, char hex[PACKAGE_SHA256_LEN])
{
	unsigned char digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(digest, (const unsigned char *)bytes, len);
	sodium_bin2hex(hex, PACKAGE_SHA256_LEN, digest, sizeof(digest));
}

void package_md5(const char *text, char hex[PACKAGE_MD5_LEN])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_Digest(text, strlen(text), digest, &len, EVP_md5(), NULL) != 1)
		BUG("MD5");
	sodium_bin2hex(hex, PACKAGE_MD5_LEN, digest, len);
}

/* ---- the archive ---- */

static void must(struct archive *archive, int result)
{
	if (result != ARCHIVE_OK)
		BUG("libarchive: %s", archive_error_string(archive));
}

static void add_file(struct archive *archive, const char *name, const char *text)
{
	struct archive_entry *entry = archive_entry_new();
	size_t len = strlen(text); /* bytes, not characters */

	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	archive_entry_set_size(entry, (la_int64_t)len);
	archive_entry_set_mtime(entry, 0, 0);
	must(archive, archive_write_header(archive, entry));
	if (archive_write_data(archive, text, len) != (la_ssize_t)len)
		BUG("libarchive: %s", archive_error_string(archive));
	archive_entry_free(entry);
}

static void make_tar(struct arena *arena, struct package *package)
{
	struct archive *archive = archive_write_new();
	char *room = arena_alloc(arena, TAR_ROOM);

	must(archive, archive_write_set_format_ustar(archive));
	must(archive, archive_write_set_bytes_per_block(archive, RECORD));
	must(archive, archive_write_set_bytes_in_last_block(archive, RECORD));
	must(archive, archive_write_open_memory(archive, room, TAR_ROOM, &package->tar_len));
	for (size_t i = 0; i < ARCHIVED; i++)
		add_file(archive, package->names[i], package->files[i]);
	for (size_t i = 0; i < ARCHIVED && package->vpn_copies; i++)
		add_file(archive, arena_printf(arena, COPIES "%s", package->names[i]),
			package->files[i]);
	must(archive, archive_write_close(archive));
	archive_write_free(archive);
	package->tar = room;
}

void package_build(struct arena *arena, struct package *package)
{
	make_tar(arena, package);
	for (size_t i = 0; i < PACKAGE_FILES; i++)
		package_md5(package->files[i], package->md5[i]);
	package_sha256(package->tar, package->tar_len, package->sha256);
}

/* ---- as one text ---- */

const char *package_pack(struct arena *arena, const struct package *package)
{
	const char *const *files = package->files;

	return arena_printf(arena, "%zu %zu %zu %zu %zu\n%s%s%s%s%s", strlen(files[0]),
		strlen(files[1]), strlen(files[2]), strlen(files[3]), strlen(files[4]), files[0],
		files[1], files[2], files[3], files[4]);
}

/* The lengths in the first line, which is passed; how many, 0 if it is not such a line. */
static int read_lengths(const char **text, size_t len[PACKAGE_FILES])
{
	const char *at = *text;
	int n = 0;

	do {
		char *end;

		len[n++] = strtoul(at, &end, 10);
		if (end == at)
			return 0;
		at = end;
	} while (n < PACKAGE_FILES && *at == ' ');
	*text = at + 1;
	return *at == '\n' && (n == ARCHIVED || n == PACKAGE_FILES) ? n : 0;
}

/* Those made before there were agents have no file for them. */
err_t package_unpack(struct call *call, const char *text, struct package *package)
{
	size_t len[PACKAGE_FILES], left;
	int n = read_lengths(&text, len);

	if (n == 0)
		return call_refuse(call, ERR_DATA_LOSS, NULL, "the package can't be read");
	package->files[PACKAGE_AGENT] = PACKAGE_NO_SETTINGS;
	left = strlen(text);
	for (int i = 0; i < n; i++) {
		if (len[i] > left)
			return call_refuse(call, ERR_DATA_LOSS, NULL, "the package can't be read");
		package->files[i] = arena_strndup(call->arena, text, len[i]);
		text += len[i];
		left -= len[i];
	}
	return OK;
}
