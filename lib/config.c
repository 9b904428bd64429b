/* config: reads, checks and prints the settings table. Called once at start, one thread. */
#include "lib/config.h"

#include "lib/endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "LANYARD_"

static err_t complain(const char *name, const char *expected)
{
	fprintf(stderr, "%s: %s\n", name, expected);
	return ERR_INVALID_ARGUMENT;
}

static const struct config_entry *find(
	const struct config_entry *const tables[], const char *name, size_t len)
{
	for (size_t t = 0; tables[t] != NULL; t++)
		for (const struct config_entry *e = tables[t]; e->name != NULL; e++)
			if (strlen(e->name) == len && memcmp(e->name, name, len) == 0)
				return e;
	return NULL;
}

static err_t refuse_unknown(const struct config_entry *const tables[], char **environ_list)
{
	for (char **variable = environ_list; *variable != NULL; variable++) {
		size_t len = strcspn(*variable, "=");

		if (strncmp(*variable, PREFIX, strlen(PREFIX)) != 0)
			continue;
		if (find(tables, *variable, len) == NULL) {
			fprintf(stderr, "%.*s: unknown setting; --help lists the known ones\n",
				(int)len, *variable);
			return ERR_INVALID_ARGUMENT;
		}
	}
	return OK;
}

static const char *lookup(const struct config_entry *entry, char **environ_list)
{
	size_t len = strlen(entry->name);

	for (char **variable = environ_list; *variable != NULL; variable++)
		if (strncmp(*variable, entry->name, len) == 0 && (*variable)[len] == '=')
			return *variable + len + 1;
	return entry->fallback;
}

static err_t read_int(const struct config_entry *entry, const char *text)
{
	char expected[96];
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < entry->min || value > entry->max) {
		snprintf(expected, sizeof(expected), "expected a number from %ld to %ld",
			entry->min, entry->max);
		return complain(entry->name, expected);
	}
	*(long *)entry->target = value;
	return OK;
}

static err_t read_bool(const struct config_entry *entry, const char *text)
{
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return complain(entry->name, "expected true or false");
	*(bool *)entry->target = text[0] == 't';
	return OK;
}

static err_t read_entry(const struct config_entry *entry, char **environ_list)
{
	const char *text = lookup(entry, environ_list);
	struct sockaddr_storage address;

	if (text == NULL)
		return complain(entry->name, "required, but not set");
	switch (entry->type) {
	case CONFIG_INT:
		return read_int(entry, text);
	case CONFIG_BOOL:
		return read_bool(entry, text);
	case CONFIG_ENDPOINT:
		if (endpoint_parse(text, &address) != OK)
			return complain(entry->name, "expected ADDRESS:PORT, e.g. 127.0.0.1:8443");
		break;
	case CONFIG_TEXT:
	case CONFIG_SECRET:
		if (*text == '\0' && entry->fallback == NULL)
			return complain(entry->name, "required, but empty");
		break;
	}
	*(const char **)entry->target = text;
	return OK;
}

err_t config_load(const struct config_entry *const tables[], char **environ_list)
{
	err_t err = refuse_unknown(tables, environ_list);

	for (size_t t = 0; err == OK && tables[t] != NULL; t++)
		for (const struct config_entry *e = tables[t]; err == OK && e->name != NULL; e++)
			err = read_entry(e, environ_list);
	return err;
}

void config_help(const struct config_entry *const tables[], FILE *out)
{
	for (size_t t = 0; tables[t] != NULL; t++)
		for (const struct config_entry *e = tables[t]; e->name != NULL; e++)
			fprintf(out, "  %s (%s%s)\n      %s\n", e->name,
				e->fallback == NULL ? "required" : "default: ",
				e->fallback == NULL	 ? ""
				: e->fallback[0] == '\0' ? "empty"
							 : e->fallback,
				e->help);
}

static void print_entry(const struct config_entry *entry, FILE *out)
{
	const char *text;

	switch (entry->type) {
	case CONFIG_INT:
		fprintf(out, "%s=%ld\n", entry->name, *(const long *)entry->target);
		break;
	case CONFIG_BOOL:
		fprintf(out, "%s=%s\n", entry->name,
			*(const bool *)entry->target ? "true" : "false");
		break;
	default:
		text = *(const char *const *)entry->target;
		if (entry->type == CONFIG_SECRET && *text != '\0')
			text = "***";
		fprintf(out, "%s=%s\n", entry->name, text);
	}
}

void config_print(const struct config_entry *const tables[], FILE *out)
{
	for (size_t t = 0; tables[t] != NULL; t++)
		for (const struct config_entry *e = tables[t]; e->name != NULL; e++)
			print_entry(e, out);
}
