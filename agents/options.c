/* options: see options.h. */
#include "agents/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_row(const char *name, const char *value, const char *help)
{
	char left[40];

	snprintf(left, sizeof(left), "--%s%s%s", name, value != NULL ? " " : "",
		value != NULL ? value : "");
	printf("  %-20s %s\n", left, help);
}

static void print_help(const struct option_table *table)
{
	printf("usage: lanyard %s [OPTION]...", table->command);
	for (const struct option_word *word = table->words; word->name != NULL; word++)
		printf(" %s", word->name);
	printf("\n\n%s\n\n", table->summary);
	for (const struct option_row *row = table->rows; row->name != NULL; row++)
		print_row(row->name, row->value, row->help);
	print_row("help", NULL, "print this and exit");
	printf("\n%s", table->details);
}

__attribute__((format(printf, 3, 4))) static bool refuse(
	const struct option_table *table, int *status, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "lanyard %s: ", table->command);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; see lanyard %s --help\n", table->command);
	*status = EXIT_USAGE;
	return false;
}

static const struct option_row *find(const struct option_table *table, const char *name, size_t len)
{
	for (const struct option_row *row = table->rows; row->name != NULL; row++)
		if (strlen(row->name) == len && memcmp(row->name, name, len) == 0)
			return row;
	return NULL;
}

/* Takes the option at argv[*i], and its value if that is the next word. */
static bool take_option(
	const struct option_table *table, int argc, char **argv, int *i, int *status)
{
	const char *word = argv[*i];
	size_t len = strcspn(word, "=");
	const char *value = word[len] == '=' ? word + len + 1 : NULL;
	const struct option_row *row;

	if (strcmp(word, "--help") == 0) {
		print_help(table);
		*status = EXIT_SUCCESS;
		return false;
	}
	row = word[1] == '-' ? find(table, word + 2, len - 2) : NULL;
	if (row == NULL)
		return refuse(table, status, "unknown option %.*s", (int)len, word);
	if (row->value == NULL && value != NULL)
		return refuse(table, status, "--%s takes no value", row->name);
	if (row->value == NULL) {
		*row->flag = true;
		return true;
	}
	if (value == NULL && *i + 1 < argc)
		value = argv[++*i];
	if (value == NULL || *value == '\0')
		return refuse(table, status, "--%s needs its %s", row->name, row->value);
	*row->text = value;
	return true;
}

bool options_parse(const struct option_table *table, int argc, char **argv, int *status)
{
	const struct option_word *word = table->words;

	for (int i = 0; i < argc; i++) {
		if (argv[i][0] == '-' && argv[i][1] != '\0') {
			if (!take_option(table, argc, argv, &i, status))
				return false;
			continue;
		}
		if (word->name == NULL)
			return refuse(table, status, "unexpected word '%s'", argv[i]);
		*word++->text = argv[i];
	}
	if (word->name != NULL)
		return refuse(table, status, "%s is missing", word->name);
	return true;
}
