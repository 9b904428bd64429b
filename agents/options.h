/*
 * options: the flags of a subcommand, by one table that also prints its --help. Each option is
 * spelt out:
 * --name VALUE or --name=VALUE; an abbreviation is an unknown option. Called once, at start.
 */
#pragma once

#include <stdbool.h>

#define EXIT_USAGE 2 /* exit status for a wrong command line */

struct option_row {
	const char *name;  /* without the dashes; NULL ends the table */
	const char *value; /* what it takes, e.g. "NAME"; NULL: nothing */
	const char *help;  /* one line */
	const char **text; /* set to the value, which points into argv */
	bool *flag;	   /* set to true by an option that takes nothing */
};

/* A word that must be given, in its place. */
struct option_word {
	const char *name; /* e.g. "URL"; NULL ends the table */
	const char **text;
};

#define OPTION_NO_WORDS ((const struct option_word[]){ { NULL, NULL } })

struct option_table {
	const char *command;
	const char *summary; /* one line */
	const char *details; /* the rest of --help, whole lines */
	const struct option_word *words;
	const struct option_row *rows;
};

/* Reads the words after the subcommand. True: go on. False: the answer was printed already (--help
 * on stdout, one line that names what is wrong on stderr), and `status` is what to exit with. */
bool options_parse(const struct option_table *table, int argc, char **argv, int *status);
