/*
 * mail: what holders of names are told by mail. A message is queued in the transaction that makes
 * it and sent by a task, so that a slow mail server holds nobody up; it is tried for a day.
 */
#pragma once

#include "lib/call.h"
#include "services/dns/store_registration.h"

#define MAIL_EVERY_S 1

/* Which server (smtp://USER:PASSWORD@HOST:PORT; "": none, nothing is queued) and which sender; both
 * kept. Once at start. */
void mail_init(const char *url, const char *sender);

/* The token that takes the name back. */
err_t mail_reclamation(
	struct call *call, const struct store_holder *holder, const char *secret) MUST_CHECK;
/* The link that proves the address; `base` is the URL of the registration API. */
err_t mail_verification(struct call *call, const struct store_holder *holder, const char *email,
	const char *base, const char *secret) MUST_CHECK;
/* The name will be forgotten. */
err_t mail_warning(struct call *call, const struct store_holder *holder) MUST_CHECK;

/* Task: sends what is due. */
err_t mail_send_due(struct call *call) MUST_CHECK;
