/*
 * csv: a list of expected devices, as an operator sends it: bytes from outside. The only code that
 * sees libcsv. Any thread.
 *
 * The first row names the columns: serial, and any of name, network, legacy, approve and code, in
 * any order. RFC 4180 with quotes; line ends of any kind.
 */
#pragma once

#include "lib/call.h"

#include <stdbool.h>

#define CSV_ROWS_MAX 2000 /* of one file, without its header */

struct csv_row {
	unsigned row; /* the header is 1; rows without anything do not count */
	const char *serial, *name, *network, *code;
	bool legacy, approve;
	/* What is wrong with it, NULL if nothing. */
	const char *field, *detail;
};

struct csv_list {
	struct csv_row *rows;
	size_t n;
};

/* Reads it all: what is wrong with one row is in that row, what is wrong with the whole is refused
 * (INVALID_ARGUMENT, field csv). Texts are in the call's arena. */
err_t csv_list_read(
	struct call *call, const void *bytes, size_t len, struct csv_list *list) MUST_CHECK;
