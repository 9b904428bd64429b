/*
 * rpc: see rpc.h. The texts are those of the original, its misprints included.
 */
#include "dataplane/nymea/rpc.h"

#include "dataplane/nymea/parse_fault.h"
#include "lib/mem.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NO_ID	   (-1)
#define BLANKS_MAX (64 * 1024) /* params with more of them are printed in one line */

/* ---- values as Qt converts them ---- */

/* The shortest text that is this number. */
static char *real_text(double value)
{
	char text[40];

	for (int precision = 15; precision <= 17; precision++) {
		snprintf(text, sizeof(text), "%.*g", precision, value);
		if (strtod(text, NULL) == value)
			break;
	}
	return xstrdup(text);
}

static char *value_text(const json_t *value)
{
	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		return xstrdup(json_string_value(value));
	case JSON_INTEGER:
		return xasprintf("%lld", (long long)json_integer_value(value));
	case JSON_REAL:
		return real_text(json_real_value(value));
	case JSON_TRUE:
		return xstrdup("true");
	case JSON_FALSE:
		return xstrdup("false");
	default:
		return xstrdup("");
	}
}

static bool text_to_int(const char *text, int *number)
{
	long long value;
	char *end;

	errno = 0;
	value = strtoll(text, &end, 10);
	while (isspace((unsigned char)*end))
		end++;
	if (end == text || *end != '\0' || errno != 0 || value < INT_MIN || value > INT_MAX)
		return false;
	*number = (int)value;
	return true;
}

static bool value_to_int(const json_t *value, int *number)
{
	double real;

	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		return text_to_int(json_string_value(value), number);
	case JSON_INTEGER:
		*number = (int)(uint32_t)json_integer_value(value); /* wraps */
		return true;
	case JSON_REAL:
		real = json_real_value(value);
		real += real < 0 ? -0.5 : 0.5;
		*number = real > INT_MIN && real < INT_MAX ? (int)real : 0;
		return true;
	case JSON_TRUE:
	case JSON_FALSE:
		*number = json_is_true(value);
		return true;
	default:
		return false;
	}
}

/* ---- printing ---- */

/* Takes `value`. */
static char *print_line(json_t *value)
{
	size_t size = json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	char *text = xmalloc(size + 2);

	json_dumpb(value, text, size, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	memcpy(text + size, "\n", 2);
	json_decref(value);
	return text;
}

char *rpc_answer(int id, json_t *params)
{
	return print_line(
		json_pack("{s:i, s:o, s:s}", "id", id, "params", params, "status", "success"));
}

char *rpc_error(int id, const char *error)
{
	return print_line(
		json_pack("{s:s, s:i, s:s}", "error", error, "id", id, "status", "error"));
}

char *rpc_notification(int id, const char *name, json_t *params)
{
	return print_line(
		json_pack("{s:i, s:s, s:o}", "id", id, "notification", name, "params", params));
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_value(FILE *out, const json_t *value, int depth);

static void print_members(FILE *out, const json_t *object, int depth)
{
	size_t n = json_object_size(object), i = 0;
	const char **keys = xcalloc(n + 1, sizeof(*keys));
	const char *key;
	json_t *member;

	json_object_foreach((json_t *)(uintptr_t)object, key, member) keys[i++] = key;
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (i = 0; i < n; i++) {
		json_t *name = json_string(keys[i]);

		fprintf(out, "%*s", 4 * depth, "");
		print_value(out, name, 0);
		fputs(": ", out);
		print_value(out, json_object_get(object, keys[i]), depth);
		fputs(i + 1 < n ? ",\n" : "\n", out);
		json_decref(name);
	}
	free(keys);
}

static void print_value(FILE *out, const json_t *value, int depth)
{
	size_t n = json_array_size(value);

	if (json_is_object(value)) {
		fputs("{\n", out);
		print_members(out, value, depth + 1);
		fprintf(out, "%*s}", 4 * depth, "");
	} else if (json_is_array(value)) {
		fputs("[\n", out);
		for (size_t i = 0; i < n; i++) {
			fprintf(out, "%*s", 4 * (depth + 1), "");
			print_value(out, json_array_get(value, i), depth + 1);
			fputs(i + 1 < n ? ",\n" : "\n", out);
		}
		fprintf(out, "%*s]", 4 * depth, "");
	} else {
		json_dumpf(value, out, JSON_ENCODE_ANY | JSON_COMPACT);
	}
}

char *rpc_indented(const json_t *value)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		BUG("no memory for a document");
	print_value(out, value, 0);
	fputc('\n', out);
	fclose(out);
	return text;
}

/* ---- requests ---- */

/* Takes `error`. False. */
static bool refuse(struct rpc_refusal *refusal, int id, char *error, const char *reason)
{
	*refusal = (struct rpc_refusal){ rpc_error(id, error), reason };
	free(error);
	return false;
}

/* The blanks of a value that is printed over several lines: many, where much is nested deeply. */
static size_t count_blanks(const json_t *value, size_t depth)
{
	size_t blanks = 4 * depth, i;
	const char *key;
	json_t *member;

	json_object_foreach((json_t *)(uintptr_t)value, key, member) blanks +=
		4 * (depth + 1) + count_blanks(member, depth + 1);
	json_array_foreach(value, i, member) blanks +=
		4 * (depth + 1) + count_blanks(member, depth + 1);
	return blanks;
}

static char *print_params(const struct rpc_request *request)
{
	if (!request->params)
		return xstrdup("{\n}\n");
	if (count_blanks(request->params, 0) > BLANKS_MAX)
		return print_line(json_incref(request->params));
	return rpc_indented(request->params);
}

static const json_t *find_param(const struct rpc_request *request, const char *name)
{
	return request->params ? json_object_get(request->params, name) : NULL;
}

static bool type_is_good(const json_t *value, enum rpc_type type)
{
	switch (json_typeof(value)) {
	case JSON_ARRAY:
	case JSON_OBJECT:
		return false;
	case JSON_STRING:
		return true;
	case JSON_NULL:
		return type == RPC_STRING;
	default:
		return type != RPC_UUID;
	}
}

/* What is wrong with one parameter, malloc'ed; NULL: nothing. */
static char *check_param(const struct rpc_request *request, const struct rpc_param *param)
{
	static const char *const nouns[] = { "string", "int", "uuid" };
	const json_t *value = find_param(request, param->name);
	AUTO_FREE char *text = NULL;

	if (!value && param->optional)
		return NULL;
	if (!value) {
		text = print_params(request);
		return xasprintf("Invalid params: Missing key %s in %s", param->name, text);
	}
	if (type_is_good(value, param->type))
		return NULL;
	text = value_text(value);
	return xasprintf("Invalid params: Param %s is not a %s.", text, nouns[param->type]);
}

/* The first key, in their order, that the method does not know; NULL if there is none. */
static const char *find_forbidden(const struct rpc_request *request)
{
	const char *key, *found = NULL;
	json_t *value;

	json_object_foreach(request->params, key, value)
	{
		const struct rpc_param *param = request->method->params;

		while (param->name && strcmp(param->name, key) != 0)
			param++;
		if (!param->name && (!found || strcmp(key, found) < 0))
			found = key;
	}
	return found;
}

static char *check_params(const struct rpc_request *request)
{
	const char *forbidden;
	AUTO_FREE char *text = NULL;

	for (const struct rpc_param *param = request->method->params; param->name; param++) {
		char *error = check_param(request, param);

		if (error)
			return error;
	}
	forbidden = find_forbidden(request);
	if (!forbidden)
		return NULL;
	text = print_params(request);
	return xasprintf("Invalid params: Forbidden key \"%s\" in %s", forbidden, text);
}

static bool read_method(
	struct rpc_request *request, const struct rpc_method methods[], struct rpc_refusal *refusal)
{
	AUTO_FREE char *name = value_text(json_object_get(request->document, "method"));
	const char *dot = strchr(name, '.');
	bool known = false;

	if (!dot || strchr(dot + 1, '.'))
		return refuse(refusal, request->id,
			xasprintf("Error parsing method. Got: '%s'', Expected: 'Namespace.method'",
				name),
			"Invalid method passed.");
	for (const struct rpc_method *method = methods; method->name; method++) {
		known = known || strncmp(method->name, name, (size_t)(dot + 1 - name)) == 0;
		if (strcmp(method->name, name) == 0) {
			request->method = method;
			return true;
		}
	}
	if (!known)
		return refuse(
			refusal, request->id, xstrdup("No such namespace"), "No such namespace.");
	return refuse(refusal, request->id, xstrdup("No such method"), "No such method.");
}

static bool check(
	struct rpc_request *request, const struct rpc_method methods[], struct rpc_refusal *refusal)
{
	char *error;

	if (!value_to_int(json_object_get(request->document, "id"), &request->id))
		return refuse(refusal, NO_ID, xstrdup("Error parsing command. Missing 'id'"),
			"The id property is missing in the request.");
	if (!read_method(request, methods, refusal))
		return false;
	request->params = json_object_get(request->document, "params");
	if (!json_is_object(request->params))
		request->params = NULL;
	error = check_params(request);
	return !error || refuse(refusal, request->id, error, "Invalid params passed.");
}

bool rpc_read(struct rpc_request *request, const struct rpc_method methods[], const char *text,
	size_t len, struct rpc_refusal *refusal)
{
	*request = (struct rpc_request){ .document = json_loadb(text, len, 0, NULL) };
	if (!request->document)
		return refuse(refusal, NO_ID,
			xasprintf("Failed to parse JSON data: %s", parse_fault(text, len)),
			"Invalid JSON data received.");
	if (check(request, methods, refusal))
		return true;
	rpc_finish(request);
	return false;
}

void rpc_finish(struct rpc_request *request)
{
	json_decref(request->document);
	*request = (struct rpc_request){ 0 };
}

char *rpc_text(const struct rpc_request *request, const char *name)
{
	return value_text(find_param(request, name));
}
