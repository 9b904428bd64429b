/* err: names of the codes and the filling of a fault. Any thread. */
#include "lib/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stddef.h>

static const char *const names[] = {
	[OK] = "OK",
	[ERR_CANCELLED] = "CANCELLED",
	[ERR_UNKNOWN] = "UNKNOWN",
	[ERR_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
	[ERR_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
	[ERR_NOT_FOUND] = "NOT_FOUND",
	[ERR_ALREADY_EXISTS] = "ALREADY_EXISTS",
	[ERR_PERMISSION_DENIED] = "PERMISSION_DENIED",
	[ERR_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
	[ERR_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
	[ERR_ABORTED] = "ABORTED",
	[ERR_OUT_OF_RANGE] = "OUT_OF_RANGE",
	[ERR_UNIMPLEMENTED] = "UNIMPLEMENTED",
	[ERR_INTERNAL] = "INTERNAL",
	[ERR_UNAVAILABLE] = "UNAVAILABLE",
	[ERR_DATA_LOSS] = "DATA_LOSS",
	[ERR_UNAUTHENTICATED] = "UNAUTHENTICATED",
};

const char *err_name(err_t err)
{
	return (unsigned)err <= ERR_LAST ? names[err] : names[ERR_UNKNOWN];
}

err_t fault_set(struct fault *fault, err_t err, const char *field, const char *format, ...)
{
	va_list args;

	if (fault == NULL)
		return err;
	snprintf(fault->field, sizeof(fault->field), "%s", field != NULL ? field : "");
	va_start(args, format);
	vsnprintf(fault->detail, sizeof(fault->detail), format, args);
	va_end(args);
	return err;
}
