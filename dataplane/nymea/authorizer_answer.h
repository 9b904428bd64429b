/*
 * authorizer_answer: what those say who judge tokens. Pure; any thread.
 */
#pragma once

#include "dataplane/nymea/authenticator.h"

#include <stddef.h>

/* Fills the verdict (but for tenant and token_id, unless the answer names a tenant) from an answer
 * of kind "http". */
void authorizer_answer_http(struct verdict *verdict, long status, const char *body, size_t len);

/* The same of the Lambda function. Its HTTP errors have no verdict: the client waits until its time
 * is over. */
void authorizer_answer_aws(struct verdict *verdict, const char *body, size_t len);
