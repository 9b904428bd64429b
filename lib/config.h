/*
 * config: settings from the environment, by one table a process.
 *
 * The same table reads the values, prints --help and --check, and refuses what it does not know: a
 * LANYARD_ variable in no row is an error, so that a misspelt one never goes unnoticed.
 */
#pragma once

#include "lib/err.h"

#include <stddef.h>
#include <stdio.h>

enum config_type {
	CONFIG_TEXT,	 /* const char * */
	CONFIG_SECRET,	 /* const char *, starred by --check */
	CONFIG_INT,	 /* long, between min and max */
	CONFIG_BOOL,	 /* bool: true or false */
	CONFIG_ENDPOINT, /* const char *: ADDRESS:PORT, see lib/endpoint.h */
};

struct config_entry {
	const char *name;     /* LANYARD_... ; NULL ends a table */
	const char *fallback; /* NULL: the variable is required; "" : empty is the default */
	void *target;	      /* variable of the type above; text points into the environment */
	enum config_type type;
	const char *help; /* one line, for --help and the manual */
	long min, max;	  /* CONFIG_INT */
};

/* Reads every row of the NULL-terminated list of tables. On the first wrong, missing or unknown
 * variable: one line on stderr that names it and what was expected, and ERR_INVALID_ARGUMENT. */
err_t config_load(const struct config_entry *const tables[], char **environ_list) MUST_CHECK;

/* Prints each row's name, default and help. */
void config_help(const struct config_entry *const tables[], FILE *out);

/* Prints NAME=value for each row after config_load, secrets as "***". */
void config_print(const struct config_entry *const tables[], FILE *out);
