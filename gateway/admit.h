/*
 * admit: may this caller use this endpoint, now, in this tenant? The one place where limits,
 * identity, tenant and scope are checked.
 */
#pragma once

#include "gateway/api.h"

/* Fills request->caller, and tenant and actor of the call. The errors: ERR_RESOURCE_EXHAUSTED (with
 * Retry-After in the reply), ERR_UNAUTHENTICATED, ERR_NOT_FOUND, ERR_PERMISSION_DENIED. */
err_t admit(struct api_request *request) MUST_CHECK;

#define ADMIT_GUESS 10 /* what a wrong secret counts as */

/* For who was believed in another way than by admit: counts `cost` against this subject. */
err_t admit_subject(struct api_request *request, const char *subject, long cost) MUST_CHECK;

/* For who needs not say who it is: counts `cost` against the address. */
err_t admit_stranger(struct api_request *request, long cost) MUST_CHECK;
