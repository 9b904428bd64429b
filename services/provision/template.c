/* template: see template.h. The allowed directives are a table. */
#include "services/provision/template.h"

#include "services/provision/package.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 4
#define WORD_MAX      128
#define DIR_MAX	      128
#define DIR	      "{{dir}}"

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:"

static const struct directive {
	const char *name;
	int min, max;	   /* arguments */
	const char *first; /* the file that the first argument must name; NULL: any */
} directives[] = {
	{ "auth", 1, 1, NULL },
	{ "auth-nocache", 0, 0, NULL },
	{ "auth-user-pass", 1, 1, "credentials" },
	{ "ca", 1, 1, "ca.crt" },
	{ "cipher", 1, 1, NULL },
	{ "client", 0, 0, NULL },
	{ "comp-lzo", 0, 1, NULL },
	{ "compress", 0, 1, NULL },
	{ "connect-retry", 1, 2, NULL },
	{ "connect-timeout", 1, 1, NULL },
	{ "data-ciphers", 1, 1, NULL },
	{ "data-ciphers-fallback", 1, 1, NULL },
	{ "dev", 1, 1, NULL },
	{ "dev-type", 1, 1, NULL },
	{ "explicit-exit-notify", 0, 1, NULL },
	{ "float", 0, 0, NULL },
	{ "hand-window", 1, 1, NULL },
	{ "keepalive", 2, 2, NULL },
	{ "key-direction", 1, 1, NULL },
	{ "mssfix", 0, 2, NULL },
	{ "mute", 1, 1, NULL },
	{ "nobind", 0, 0, NULL },
	{ "persist-key", 0, 0, NULL },
	{ "persist-tun", 0, 0, NULL },
	{ "ping", 1, 1, NULL },
	{ "ping-restart", 1, 1, NULL },
	{ "proto", 1, 1, NULL },
	{ "pull", 0, 0, NULL },
	{ "remote", 1, 3, NULL },
	{ "remote-cert-tls", 1, 1, "server" },
	{ "remote-random", 0, 0, NULL },
	{ "reneg-sec", 1, 2, NULL },
	{ "resolv-retry", 1, 1, NULL },
	{ "server-poll-timeout", 1, 1, NULL },
	{ "tls-auth", 1, 2, "ta.key" },
	{ "tls-client", 0, 0, NULL },
	{ "tls-version-min", 1, 2, NULL },
	{ "topology", 1, 1, NULL },
	{ "tun-mtu", 1, 1, NULL },
	{ "verb", 1, 1, NULL },
	{ "verify-x509-name", 1, 2, NULL },
};

#define VALUE(name)                                                                                \
	{                                                                                          \
		"{{" #name "}}", offsetof(struct template_values, name)                            \
	}

static const struct variable {
	const char *text;
	size_t value; /* where it is in struct template_values */
} variables[] = { VALUE(serial), VALUE(device), VALUE(name), VALUE(tenant), VALUE(dir) };

/* ---- a line ---- */

struct line {
	char text[WORD_MAX * (ARGUMENTS_MAX + 1) + 1];
	char *words[ARGUMENTS_MAX + 2];
	int n;
};

static err_t refuse(struct call *call, int number, const char *why)
{
	return call_refuse(call, ERR_INVALID_ARGUMENT, "client_conf", "line %d: %s", number, why);
}

/* The variable that begins here; NULL if none does. */
static const struct variable *variable_at(const char *at)
{
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if (strncmp(at, variables[i].text, strlen(variables[i].text)) == 0)
			return &variables[i];
	return NULL;
}

/* Letters, digits, a few marks, and variables: nothing that OpenVPN would read in another way. */
static bool is_plain(const char *word)
{
	while (*(word += strspn(word, PLAIN)) != '\0') {
		const struct variable *variable = variable_at(word);

		if (variable == NULL)
			return false;
		word += strlen(variable->text);
	}
	return true;
}

static err_t split(struct call *call, const char *text, size_t len, int number, struct line *line)
{
	char *save;

	if (len >= sizeof(line->text))
		return refuse(call, number, "it is too long");
	memcpy(line->text, text, len);
	line->text[len] = '\0';
	line->n = 0;
	for (char *word = strtok_r(line->text, " \t", &save); word != NULL;
		word = strtok_r(NULL, " \t", &save)) {
		if (line->n == ARGUMENTS_MAX + 1)
			return refuse(call, number, "it has too many arguments");
		if (!is_plain(word))
			return refuse(call, number,
				"expected words of letters, digits and .-_: only, and the variables"
				" {{serial}}, {{device}}, {{name}}, {{tenant}}, {{dir}}");
		line->words[line->n++] = word;
	}
	return OK;
}

static int compare(const void *name, const void *directive)
{
	return strcmp(name, ((const struct directive *)directive)->name);
}

/* What a file that is usually called so is called here. */
static const char *name_in(const struct package *package, const char *usual)
{
	for (size_t i = 0; i < PACKAGE_FILES; i++)
		if (strcmp(package_names[i], usual) == 0)
			return package->names[i];
	return usual;
}

/* Alone, or in the directory. */
static bool is_file(const char *word, const char *name)
{
	return strcmp(word, name) == 0 ||
	       (strncmp(word, DIR, strlen(DIR)) == 0 && strcmp(word + strlen(DIR), name) == 0);
}

static err_t check_line(
	struct call *call, const char *text, size_t len, int number, const struct package *package)
{
	const struct directive *directive;
	const char *first;
	struct line line;
	err_t err;

	if (text[0] == '#' || text[0] == ';')
		return OK;
	if ((err = split(call, text, len, number, &line)) != OK || line.n == 0)
		return err;
	directive = bsearch(
		line.words[0], directives, ARRAY_LEN(directives), sizeof(*directives), compare);
	if (directive == NULL)
		return refuse(call, number, "this directive is not allowed in a package");
	if (line.n - 1 < directive->min || line.n - 1 > directive->max)
		return refuse(call, number, "it has too few or too many arguments");
	first = directive->first != NULL ? name_in(package, directive->first) : NULL;
	for (int i = first != NULL ? 2 : 1; i < line.n; i++)
		if (strstr(line.words[i], DIR) != NULL)
			return refuse(call, number, DIR " stands before the names of files only");
	if (first != NULL && !is_file(line.words[1], first))
		return call_refuse(call, ERR_INVALID_ARGUMENT, "client_conf",
			"line %d: expected %s %s", number, directive->name, first);
	return OK;
}

/* ---- the text ---- */

/* Control characters other than line feeds and tabs end a line for somebody. */
static bool is_text(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' && *text != '\n' && *text != '\t')
			return false;
	return true;
}

err_t template_check(struct call *call, const char *text, const char *file_names)
{
	struct package package = { 0 };
	err_t err = OK;

	if (strlen(text) > TEMPLATE_MAX || !is_text(text))
		return call_refuse(call, ERR_INVALID_ARGUMENT, "client_conf",
			"expected at most %d bytes in lines that end with LF, without control "
			"characters",
			TEMPLATE_MAX);
	package_set_names(call->arena, &package, file_names, false);
	for (int number = 1; err == OK && *text != '\0'; number++) {
		size_t len = strcspn(text, "\n");

		err = check_line(call, text, len, number, &package);
		text += len + (text[len] == '\n');
	}
	return err;
}

err_t template_check_dir(struct call *call, const char *dir)
{
	size_t len = strlen(dir);

	if (len == 0 || (len <= DIR_MAX && dir[len - 1] == '/' && strspn(dir, PLAIN "/") == len &&
				strstr(dir, "..") == NULL))
		return OK;
	return call_refuse(call, ERR_INVALID_ARGUMENT, "dir",
		"expected at most %d letters, digits and .-_:/ with a slash at the end and without "
		"..,"
		" or nothing",
		DIR_MAX);
}

static const char *value_of(const struct template_values *values, const struct variable *variable)
{
	return *(const char *const *)((const char *)values + variable->value);
}

const char *template_expand(
	struct call *call, const char *text, const struct template_values *values)
{
	const char *out = "", *at;

	while ((at = strstr(text, "{{")) != NULL) {
		const struct variable *variable = variable_at(at);

		if (variable == NULL) { /* in a comment */
			out = arena_printf(call->arena, "%s%.*s", out, (int)(at + 2 - text), text);
			text = at + 2;
			continue;
		}
		out = arena_printf(call->arena, "%s%.*s%s", out, (int)(at - text), text,
			value_of(values, variable));
		text = at + strlen(variable->text);
	}
	return arena_printf(call->arena, "%s%s", out, text);
}
