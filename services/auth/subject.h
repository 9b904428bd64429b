/*
 * subject: the names of those who hold tokens, "KIND:UUID". No state; any thread.
 */
#pragma once

#include "lib/call.h"

enum subject_kind { SUBJECT_USER, SUBJECT_API_KEY, SUBJECT_DEVICE };

struct subject {
	enum subject_kind kind;
	const char *id; /* borrowed from the text */
};

/* Reads the request's field `subject`. */
err_t subject_read(struct call *call, const char *text, struct subject *subject) MUST_CHECK;
