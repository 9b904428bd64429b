/*
 * problem: refusals and errors as problem documents (RFC 9457), and the one table that maps err_t
 * to HTTP.
 */
#pragma once

#include "gateway/http.h"

/* The status for an error; `field` is the fault's. */
enum http_status problem_status(err_t err, const char *field);

/* Fills the reply for `err` and the call's fault. Details of our own failures stay here. */
void problem_reply(struct call *call, err_t err, struct http_reply *reply);

/* The same for a refusal that is a matter of HTTP itself, so that no err_t says it. */
void problem_reply_status(struct call *call, enum http_status status, struct http_reply *reply);
