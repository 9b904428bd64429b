/* remote: one question, one answer. In the thread of its connection. */
#include "services/dns/remote.h"

#include "lib/clock.h"
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

static json_t *answer_of(const struct remote *remote, const struct remote_method *method,
	const json_t *parameters, struct arena *arena)
{
	json_t *result = method->answer(remote, parameters, arena);

	if (result == NULL)
		return json_pack("{s:[s]}", "log", "this can't be answered now");
	return json_pack("{s:o}", "result", result);
}

/* The text of an answer that jansson makes. */
static const char *text_of(json_t *answer, struct arena *arena)
{
	AUTO_FREE char *line = json_dumps(answer, JSON_COMPACT);

	if (line == NULL)
		BUG("no JSON for an answer");
	json_decref(answer);
	return arena_strdup(arena, line);
}

static const char *find(const struct remote *remote, const struct remote_method *method,
	const json_t *parameters, struct arena *arena)
{
	struct records records;

	records_init(&records, arena, "ANY", clock_unix_ms() / 1000);
	switch (method->find(remote, parameters, &records)) {
	case REMOTE_RESULT:
		return remote_write(&records);
	case REMOTE_FALSE:
		return "{\"result\":false}";
	case REMOTE_LATER:
		return "{\"log\":[\"this can't be answered now\"]}";
	}
	BUG("no such result");
}

static const char *answer(const struct remote *remote, const json_t *question, struct arena *arena)
{
	const char *name = remote_text(question, "method");
	const struct remote_method *method = method_of(name);
	const json_t *parameters = json_object_get(question, "parameters");

	if (method == NULL)
		return *name != '\0' ? "{\"result\":false,\"log\":[\"there is no such method\"]}"
				     : "{\"result\":false,\"log\":[\"this is no question\"]}";
	if (method->find != NULL)
		return find(remote, method, parameters, arena);
	return text_of(answer_of(remote, method, parameters, arena), arena);
}

const char *remote_answer(
	const struct remote *remote, const char *text, size_t len, struct arena *arena)
{
	json_t *question = json_loadb(text, len, 0, NULL);
	const char *line = answer(remote, question, arena);

	json_decref(question);
	return line;
}
