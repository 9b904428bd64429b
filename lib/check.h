/*
 * check: the checks of outside values that several services make, each with one clear sentence of
 * what was expected. All return OK or ERR_INVALID_ARGUMENT with call->fault filled.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

/* 1 to 63 of a-z, 0-9 and '-', not at either end (RFC 1035, lower case). */
err_t check_label(struct call *call, const char *field, const char *text) MUST_CHECK;

/* Labels with dots between them, of at most `max` bytes. */
err_t check_host_name(
	struct call *call, const char *field, const char *text, size_t max) MUST_CHECK;

/* UUID in its canonical lower-case text form. */
err_t check_uuid(struct call *call, const char *field, const char *text) MUST_CHECK;

/* Valid UTF-8 without control characters, of `min` to `max` bytes. */
err_t check_text(
	struct call *call, const char *field, const char *text, size_t min, size_t max) MUST_CHECK;

/* The first two as questions. */
bool check_is_label(const char *text);
bool check_is_uuid(const char *text);

/* One of the NULL-terminated list of words. */
err_t check_word(struct call *call, const char *field, const char *text,
	const char *const words[]) MUST_CHECK;
