/*
 * smtp: hands one message to a mail server. With libcurl, which no other file of the service sees.
 * Blocks for at most SMTP_TIMEOUT_S.
 */
#pragma once

#include "lib/err.h"

#include <stddef.h>

#define SMTP_TIMEOUT_S 10

struct smtp_message {
	const char *url; /* smtp:// or smtps://, with user and password if it wants them */
	const char *sender, *recipient;
	const char *text; /* headers, an empty line, body; lines end with CR LF */
};

/* ERR_UNAVAILABLE: not accepted, `reason` says why. */
err_t smtp_send(const struct smtp_message *message, char *reason, size_t size) MUST_CHECK;
