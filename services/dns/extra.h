/*
 * extra: records that the operator adds to the fleet's zone of names, from a file of lines
 *
 *     OWNER TYPE CONTENT
 *
 * of type A, AAAA, CNAME, MX or TXT. A name with a last dot stands as it is, one without is in the
 * zone of names, "@" is that zone; "#" begins a line that says nothing. Read once at start.
 */
#pragma once

#include "lib/err.h"
#include "services/dns/records.h"

#define EXTRA_MAX 256

/* Reads the file into records->extra, allocated in the arena. Of what is wrong the fault names
 * LANYARD_DNS_RECORDS_FILE and the line: ERR_INVALID_ARGUMENT. */
err_t extra_read(const char *path, struct arena *arena, struct records_settings *records,
	struct fault *fault) MUST_CHECK;

/* The words of `reserved`, and the labels of the zone of names that the file has taken. */
const char *extra_reserved(
	const struct records_settings *records, const char *reserved, struct arena *arena);
