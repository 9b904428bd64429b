/*
 * second_factor: the pages that ask for a code, and that enrol the app which shows it. In workers.
 */
#pragma once

#include "gateway/api.h"
#include "gateway/target.h"
#include "proto/oauth.pb-c.h"

/* Asks for the code of who has shown the password, or tries the one in `form` (of a POST, else
 * NULL): if it is right, back to where the request wanted to go. */
err_t second_factor_code(struct api_request *request, const struct form *form) MUST_CHECK;

/* Shows a new secret, or enrols the one in `form`: then shows recovery codes and the way on. */
err_t second_factor_enrol(struct api_request *request, const struct form *form,
	const Auth__SignIn *person, const char *on) MUST_CHECK;

/* The page of recovery codes, which are shown this once. */
void second_factor_show_codes(
	struct api_request *request, size_t n, char *const codes[], const char *on);

/* What was wrong with a code, as people are told, from the words of proto/second_factor.proto. A
 * wrong one counts against the address. */
err_t second_factor_words(
	struct api_request *request, const char *error, const char **words) MUST_CHECK;
