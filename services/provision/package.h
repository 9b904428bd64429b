/*
 * package: the files that a portal device fetches, and the archive that they travel in. The bytes
 * of an archive follow from its files and their names alone, so it is made anew for each request.
 * Pure, any thread.
 */
#pragma once

#include "lib/call.h"

#include <stdbool.h>
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

#define PACKAGE_NAME_MAX 32

extern const char *const package_names[PACKAGE_FILES]; /* the usual ones */

struct package {
	const char *files[PACKAGE_FILES]; /* texts; "" is an empty file */
	const char *names[PACKAGE_FILES]; /* package_set_names */
	const char *file_names;		  /* those in the archive, with a space between */
	bool vpn_copies;		  /* the archive has each file in a folder vpn too */
	char md5[PACKAGE_FILES][PACKAGE_MD5_LEN];
	char sha256[PACKAGE_SHA256_LEN]; /* of the archive */
	const char *tar;
	size_t tar_len;
};

/* Refuses what are no names of the files in an archive. */
err_t package_check_names(struct call *call, const char *file_names) MUST_CHECK;

/* Gives the files their names, which were checked. */
void package_set_names(
	struct arena *arena, struct package *package, const char *file_names, bool vpn_copies);

/* Makes archive and digests from `files` and their names. */
void package_build(struct arena *arena, struct package *package);

struct package_member {
	const char *name, *text;
};

/* What an agent gets, and how many: whatever the roots are called, it looks for them in ca.crt too.
 */
size_t package_agent_files(
	const struct package *package, struct package_member members[PACKAGE_FILES + 1]);

/* The files as one text to be sealed, and back; ERR_DATA_LOSS if it is none. */
const char *package_pack(struct arena *arena, const struct package *package);
err_t package_unpack(struct call *call, const char *text, struct package *package) MUST_CHECK;

/* SHA-256 as hex digits. */
void package_sha256(const char *bytes, size_t len, char hex[PACKAGE_SHA256_LEN]);

/* MD5 as hex digits. It shows that bytes were damaged, and nothing else. */
void package_md5(const char *text, char hex[PACKAGE_MD5_LEN]);
