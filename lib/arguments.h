/*
 * arguments: the command line of a process: --help, --check, --health and --version, and the
 * options that stand for settings, for processes whose users know them from another program. Called
 * once, at start.
 */
#pragma once

#include "lib/err.h"

#include <stdio.h>

/* An option that sets a variable of the environment, as if the process had been started with it. */
struct argument {
	const char *name;  /* without its dashes, "c|config" has a short form too; "": the word that
			      is  no option; NULL ends the table */
	const char *value; /* what it takes, e.g. "FILE"; NULL: nothing */
	const char *setting; /* LANYARD_...; without a value it becomes true, or what stands behind
				a '=' here; "": the option is taken and means nothing */
};

enum arguments_mode {
	ARGUMENTS_RUN,
	ARGUMENTS_CHECK,
	ARGUMENTS_HEALTH,
	ARGUMENTS_HELP,
	ARGUMENTS_VERSION
};

/*
 * Reads the command line; `table` may be NULL. Options may be abbreviated and stand in any order,
 * as getopt_long has it. What is wrong: one line on stderr, and ERR_INVALID_ARGUMENT.
 */
err_t arguments_read(
	const struct argument *table, int argc, char **argv, enum arguments_mode *mode) MUST_CHECK;

/* Prints the options of the table, for --help. */
void arguments_help(const struct argument *table, FILE *out);
