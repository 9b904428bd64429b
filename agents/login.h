/*
 * login: secrets that the operator gives: from a file or the environment, never from the command
 * line, where others could read them. Called once, at start.
 */
#pragma once

#include "lib/err.h"

#include <stddef.h>

#define LOGIN_MAX 1024 /* bytes of a secret with its NUL */

/*
 * Reads the first line of `file`, or if that is NULL the variable `name` of the environment; ""
 * if there is neither. Refused: what is empty or has other than printable characters; `what` says
 * in the fault what it should have been.
 */
err_t login_read(const char *what, const char *file, const char *name, char out[LOGIN_MAX],
	struct fault *fault) MUST_CHECK;

/* Asks for it at the terminal, without an echo, if there is one; else the fault says that `name`
 * may have it. */
err_t login_prompt(
	const char *what, const char *name, char out[LOGIN_MAX], struct fault *fault) MUST_CHECK;

/* Writes "Basic ..." of "user:password", the value of an Authorization header. */
#define LOGIN_BASIC_MAX (sizeof("Basic ") + (LOGIN_MAX * 4 / 3) + 4)
void login_basic(const char *credentials, char out[LOGIN_BASIC_MAX]);

/*
 * Takes the part before '@' out of a URL on the command line, %XX decoded, and what was read
 * overwritten there, so that ps shows it no longer. `url` gets the URL without it; `out` is "" if
 * there is none.
 */
err_t login_take_from_url(char *argument, char *url, size_t size, char out[LOGIN_MAX],
	struct fault *fault) MUST_CHECK;
