/*
 * request: from what the client sent to the request message of a method, and the key that makes a
 * write safe to repeat. Everything from outside is checked here for form; what it means, the
 * services check.
 */
#pragma once

#include "gateway/api.h"

/* Fills `message` from the body (no body is an empty object), the route's query parameters, the
 * path's id, and If-Match (as `version`). Members of the body named in `except`, a NULL-terminated
 * list, are unknown; NULL means id and version, which a body never carries. */
err_t request_read(struct api_request *request, const char *const except[],
	ProtobufCMessage *message) MUST_CHECK;

/* Only the query, for what has a body of its own kind. */
err_t request_read_query(struct api_request *request, ProtobufCMessage *message) MUST_CHECK;

/* The same for what a device asks for itself: `device` of the message is the caller, whatever the
 * body may say. ERR_PERMISSION_DENIED: the caller is no device. */
err_t request_read_own(struct api_request *request, ProtobufCMessage *message) MUST_CHECK;

/* Sets the call's idempotency key, the client's or a random one. Reads and repeatable writes need
 * none. */
err_t request_choose_key(struct api_request *request) MUST_CHECK;

/* Is the body, if there is one, said to be of this type? */
bool request_has_type(const struct api_request *request, const char *type);
