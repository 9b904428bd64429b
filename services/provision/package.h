/*
 * package: the files that a portal device fetches, and the archive that they travel in. The bytes
 * of an archive follow from its files alone, so it is made anew for each request. Pure, any thread.
 */
#pragma once

#include "lib/call.h"

#include <stddef.h>

#define PACKAGE_MD5_LEN	   33 /* hex digits with the NUL */
#define PACKAGE_SHA256_LEN 65
#define PACKAGE_FILE_MAX   (32 * 1024)

#define PACKAGE_NO_SETTINGS "{}\n" /* for an agent to which nothing is told */

/* The last one is for agents, and not in the archive. */
enum package_file {
	PACKAGE_CA,
	PACKAGE_CONF,
	PACKAGE_TA,
	PACKAGE_CREDENTIALS,
	PACKAGE_AGENT,
	PACKAGE_FILES
};

extern const char *const package_names[PACKAGE_FILES];

struct package {
	const char *files[PACKAGE_FILES]; /* texts; "" is an empty file */
	char md5[PACKAGE_FILES][PACKAGE_MD5_LEN];
	char sha256[PACKAGE_SHA256_LEN]; /* of the archive */
	const char *tar;
	size_t tar_len;
};

/* Makes archive and digests from `files`. */
void package_build(struct arena *arena, struct package *package);

/* The files as one text to be sealed, and back; ERR_DATA_LOSS if it is none. */
const char *package_pack(struct arena *arena, const struct package *package);
err_t package_unpack(struct call *call, const char *text, struct package *package) MUST_CHECK;

/* SHA-256 as hex digits. */
void package_sha256(const char *bytes, size_t len, char hex[PACKAGE_SHA256_LEN]);

/* MD5 as hex digits. It shows that bytes were damaged, and nothing else. */
void package_md5(const char *text, char hex[PACKAGE_MD5_LEN]);
