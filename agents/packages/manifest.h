/*
 * manifest: what the portal says that this device should have: read from its replies and believed
 * only if the tenant has signed it. Over memory only. Any thread.
 */
#pragma once

#include "agents/reply.h"

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

#define MANIFEST_FILES_MAX   16
#define MANIFEST_DIGEST_SIZE 65 /* SHA-256 in hex with its NUL */

struct manifest_file {
	char name[REPLY_NAME_SIZE]; /* a plain file name */
	uint32_t size;
	char sha256[MANIFEST_DIGEST_SIZE];
};

struct manifest {
	int64_t version; /* rises with every change */
	uint32_t package;
	struct manifest_file files[MANIFEST_FILES_MAX];
	unsigned n_files;
	char digest[MANIFEST_DIGEST_SIZE]; /* of its text */
	uint32_t poll_s;
};

/* Whom to believe. */
struct manifest_trust {
	const char *roots; /* PEM; NULL: those of the reply, as nothing is known yet */
	const char *tenant, *device;
};

/* Reads the body of GET /v1/manifest. `roots` becomes a malloc'ed copy of those that it was
 * believed by. */
err_t manifest_read(struct manifest *manifest, const char *body, size_t len,
	const struct manifest_trust *trust, char **roots, struct fault *fault) MUST_CHECK;

/* Its signed text alone, which was believed: all but poll_s. */
err_t manifest_read_text(struct manifest *manifest, const char *text,
	const struct manifest_trust *trust, struct fault *fault) MUST_CHECK;

/* Is this a file of the manifest as it should be? */
bool manifest_fits(const struct manifest_file *file, const char *text, size_t len);
