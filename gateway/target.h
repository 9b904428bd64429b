/*
 * target: path and query of a request as checked text: percent-escapes decoded, UTF-8 without NUL.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"

#include <stddef.h>

#define TARGET_SEGMENTS_MAX   8
#define TARGET_PARAMETERS_MAX 16

struct parameter {
	const char *name, *value;
};

/* What a query holds, or a body of application/x-www-form-urlencoded. */
struct form {
	struct parameter parameters[TARGET_PARAMETERS_MAX];
	size_t n;
};

struct target {
	const char *segments[TARGET_SEGMENTS_MAX]; /* "/v1/tenants" has two */
	size_t n_segments;
	struct form query;
};

/* Text is made in the call's arena. ERR_INVALID_ARGUMENT for a broken escape, bytes that are no
 * UTF-8, a NUL, a parameter that comes twice, or too many of them; ERR_NOT_FOUND for a path that is
 * too deep. */
err_t target_parse(struct call *call, const char *text, struct target *target) MUST_CHECK;

/* Reads a query or a body in the same way; `where` names it in a refusal. */
err_t form_parse(struct call *call, const char *where, const char *text, size_t len,
	struct form *form) MUST_CHECK;

/* The value of a parameter; NULL if it is not there. */
const char *form_find(const struct form *form, const char *name);

/* The same, "" if it is not there. */
const char *form_value(const struct form *form, const char *name);
