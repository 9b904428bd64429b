/* remote: one question, one answer. In the thread of its connection. */
#include "services/dns/remote.h"

#include "services/dns/remote_method.h"

#include <string.h>
#include <strings.h>

const char *remote_text(const json_t *parameters, const char *key)
{
	const char *text = json_string_value(json_object_get(parameters, key));

	return text != NULL ? text : "";
}

int remote_int(const json_t *parameters, const char *key)
{
	const json_t *value = json_object_get(parameters, key);

	if (json_is_string(value))
		return atoi(json_string_value(value));
	return (int)json_integer_value(value);
}

bool remote_bool(const json_t *parameters, const char *key)
{
	const json_t *value = json_object_get(parameters, key);

	return json_is_true(value) || json_integer_value(value) != 0;
}

json_t *remote_record(const struct record *record)
{
	return json_pack("{s:s+, s:s, s:s, s:i, s:i, s:b}", "qname", record->owner, ".", "qtype",
		record->type, "content", record->content, "ttl", record->ttl, "domain_id",
		record->zone, "auth", 1);
}

static const struct remote_method *const tables[] = { remote_zone_methods, remote_secure_methods,
	remote_update_methods };

static const struct remote_method *method_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		for (const struct remote_method *method = tables[i]; method->name != NULL; method++)
			if (strcasecmp(name, method->name) == 0)
				return method;
	return NULL;
}

static json_t *answer_of(const struct remote *remote, const json_t *question, struct arena *arena)
{
	const char *name = remote_text(question, "method");
	const struct remote_method *method = method_of(name);
	json_t *result;

	if (method == NULL)
		return json_pack("{s:b, s:[s]}", "result", 0, "log",
			*name != '\0' ? "there is no such method" : "this is no question");
	result = method->answer(remote, json_object_get(question, "parameters"), arena);
	if (result == NULL)
		return json_pack("{s:[s]}", "log", "this can't be answered now");
	return json_pack("{s:o}", "result", result);
}

const char *remote_answer(
	const struct remote *remote, const char *text, size_t len, struct arena *arena)
{
	json_t *question = json_loadb(text, len, 0, NULL);
	json_t *answer = answer_of(remote, question, arena);
	AUTO_FREE char *line = json_dumps(answer, JSON_COMPACT);
	const char *copy;

	if (line == NULL)
		BUG("no JSON for an answer");
	copy = arena_strdup(arena, line);
	json_decref(answer);
	json_decref(question);
	return copy;
}
