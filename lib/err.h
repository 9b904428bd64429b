/*
 * err: the one error type of the project, and the refusal that travels with it.
 *
 * Codes and numbers are the status codes of gRPC, so they stand on the bus as they are
 * (proto/bus.proto) and the gateway maps them to HTTP in one table.
 */
#pragma once

#include <stdbool.h>

#define MUST_CHECK __attribute__((warn_unused_result))

typedef enum err {
	OK = 0,
	ERR_CANCELLED = 1,
	ERR_UNKNOWN = 2,
	ERR_INVALID_ARGUMENT = 3,
	ERR_DEADLINE_EXCEEDED = 4,
	ERR_NOT_FOUND = 5,
	ERR_ALREADY_EXISTS = 6,
	ERR_PERMISSION_DENIED = 7,
	ERR_RESOURCE_EXHAUSTED = 8,
	ERR_FAILED_PRECONDITION = 9,
	ERR_ABORTED = 10,
	ERR_OUT_OF_RANGE = 11,
	ERR_UNIMPLEMENTED = 12,
	ERR_INTERNAL = 13,
	ERR_UNAVAILABLE = 14,
	ERR_DATA_LOSS = 15,
	ERR_UNAUTHENTICATED = 16,
} err_t;

#define ERR_LAST ERR_UNAUTHENTICATED

/* Why a request was refused: which field of it, and what was expected. For the caller's eyes, so
 * never a secret. Empty strings where there is nothing to say. */
struct fault {
	char field[64];
	char detail[256];
};

/* The code's name as gRPC spells it, e.g. "INVALID_ARGUMENT"; "UNKNOWN" for a number out of range.
 */
const char *err_name(err_t err);

/* Fills `fault` and returns `err`, so that a check reads `return fault_set(...)`. Over-long text is
 * cut. `fault` may be NULL, `field` may be NULL. */
err_t fault_set(struct fault *fault, err_t err, const char *field, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
