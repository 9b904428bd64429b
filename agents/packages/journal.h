/*
 * journal: what has to be known of packages after the process was killed at any point, in one file
 * that is always whole: DIR/journal.json.
 */
#pragma once

#include "agents/packages/manifest.h"

#include "lib/err.h"

#include <stdint.h>

#define JOURNAL_REASON_SIZE 200

enum journal_phase {
	JOURNAL_IDLE,
	JOURNAL_TRYING,	   /* `package` was made current, and is not known to work yet */
	JOURNAL_RETURNING, /* it does not: back to `good` */
};

enum journal_outcome { JOURNAL_NOTHING, JOURNAL_APPLIED, JOURNAL_FAILED };

struct journal {
	int64_t newest; /* version of the last manifest that was taken; 0: none yet */
	char digest[MANIFEST_DIGEST_SIZE]; /* and its digest */
	enum journal_phase phase;
	uint32_t package, good; /* numbers; 0: none */
	uint32_t attempts;	/* how often `package` was begun */
	/* What the portal has to be told of `newest`. */
	enum journal_outcome outcome;
	char reason[JOURNAL_REASON_SIZE]; /* why it failed */
	char *roots;			  /* PEM: whose signatures are good; NULL: not known yet */
};

/* All zero if there is none yet. */
err_t journal_load(struct journal *journal, const char *dir, struct fault *fault) MUST_CHECK;
err_t journal_save(const struct journal *journal, const char *dir, struct fault *fault) MUST_CHECK;
void journal_finish(struct journal *journal);

/* May the manifest be taken? ERR_FAILED_PRECONDITION: it is older than one that was, or is another
 * one of the same version. ERR_ALREADY_EXISTS: it was taken before. */
err_t journal_check(const struct journal *journal, const struct manifest *manifest,
	struct fault *fault) MUST_CHECK;
