/*
 * arguments: see arguments.h.
 */
#include "lib/arguments.h"

#include "lib/mem.h"

#include <getopt.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#define SETTING 1000 /* getopt's value for the first row of the table */

static const struct option common[] = {
	{ "check", no_argument, NULL, ARGUMENTS_CHECK },
	{ "health", no_argument, NULL, ARGUMENTS_HEALTH },
	{ "help", no_argument, NULL, ARGUMENTS_HELP },
	{ "version", no_argument, NULL, ARGUMENTS_VERSION },
};

static const struct argument none[] = { { NULL, NULL, NULL } };

/* The name of the long form. */
static const char *long_name(const struct argument *row)
{
	const char *bar = strchr(row->name, '|');

	return bar != NULL ? bar + 1 : row->name;
}

/* getopt's list of the short forms. */
static char *letters_new(const struct argument *table)
{
	char *letters = xstrdup(":");

	for (; table->name != NULL; table++)
		if (strchr(table->name, '|') != NULL) {
			char *more = xasprintf(
				"%s%c%s", letters, table->name[0], table->value != NULL ? ":" : "");

			free(letters);
			letters = more;
		}
	return letters;
}

/* The row of what getopt found. */
static const struct argument *find(const struct argument *table, int found)
{
	if (found >= SETTING)
		return table + found - SETTING;
	while (strchr(table->name, '|') == NULL || table->name[0] != found)
		table++;
	return table;
}

static void take(const struct argument *row, const char *value)
{
	const char *fixed = strchr(row->setting, '=');
	AUTO_FREE char *name = xasprintf("%.*s", (int)strcspn(row->setting, "="), row->setting);

	if (*name != '\0')
		setenv(name, value != NULL ? value : fixed != NULL ? fixed + 1 : "true", 1);
}

/* getopt's own table: the common rows, those of `table`, and an end. The caller frees it. */
static struct option *options_new(const struct argument *table)
{
	size_t n = ARRAY_LEN(common);
	struct option *options;
	size_t rows = 0;

	while (table[rows].name != NULL)
		rows++;
	options = xcalloc(n + rows + 1, sizeof(*options));
	memcpy(options, common, sizeof(common));
	for (size_t i = 0; i < rows; i++)
		if (*table[i].name != '\0')
			options[n++] = (struct option){ long_name(&table[i]),
				table[i].value != NULL ? required_argument : no_argument, NULL,
				SETTING + (int)i };
	return options;
}

static err_t refuse(char **argv, const char *what, const char *word)
{
	fprintf(stderr, "%s: %s %s; --help lists what there is\n", basename(argv[0]), what, word);
	return ERR_INVALID_ARGUMENT;
}

/* The word that is no option. */
static err_t take_words(const struct argument *table, int argc, char **argv)
{
	while (table->name != NULL && *table->name != '\0')
		table++;
	if (optind == argc)
		return OK;
	if (table->name == NULL || optind + 1 < argc)
		return refuse(argv, "unknown argument", argv[argc - 1]);
	setenv(table->setting, argv[optind], 1);
	return OK;
}

err_t arguments_read(const struct argument *table, int argc, char **argv, enum arguments_mode *mode)
{
	AUTO_FREE struct option *options = options_new(table != NULL ? table : none);
	AUTO_FREE char *letters = letters_new(table != NULL ? table : none);
	int found;

	*mode = ARGUMENTS_RUN;
	optind = 0; /* begins anew, also after an earlier call */
	opterr = 0;
	while ((found = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		if (found == '?')
			return refuse(argv, "unknown option", argv[optind - 1]);
		if (found == ':')
			return refuse(argv, "a value is missing after", argv[optind - 1]);
		if (found <= ARGUMENTS_VERSION)
			*mode = (enum arguments_mode)found;
		else
			take(find(table, found), optarg);
	}
	return take_words(table != NULL ? table : none, argc, argv);
}

void arguments_help(const struct argument *table, FILE *out)
{
	for (; table->name != NULL; table++) {
		char left[40];

		snprintf(left, sizeof(left), "%s%s%s%s", *table->name != '\0' ? "--" : "",
			long_name(table), table->value != NULL && *table->name != '\0' ? " " : "",
			table->value != NULL ? table->value : "");
		fprintf(out, "  %-22s %s%s\n", left, table->setting,
			table->value == NULL && *table->setting != '\0' &&
					strchr(table->setting, '=') == NULL
				? "=true"
				: "");
	}
}
