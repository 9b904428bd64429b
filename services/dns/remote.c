/* remote: one question of PowerDNS, one answer. In the thread of its connection. */
#include "services/dns/remote.h"

#include <jansson.h>

#include <string.h>

#define ZONE_ID 1 /* how PowerDNS names the one zone */

/* Makes the "result", a new reference; NULL: it can't be had now. */
struct method {
	const char *name;
	json_t *(*answer)(const struct zone *zone, const struct remote_source *source,
		const json_t *parameters);
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static json_t *answer_initialize(
	const struct zone *zone, const struct remote_source *source, const json_t *parameters)
{
	(void)zone, (void)source, (void)parameters;
	return json_true();
}

static json_t *zone_info(const struct zone *zone)
{
	return json_pack(
		"{s:i, s:s+, s:s}", "id", ZONE_ID, "zone", zone->name, ".", "kind", "native");
}

static json_t *answer_all_domains(
	const struct zone *zone, const struct remote_source *source, const json_t *parameters)
{
	(void)source, (void)parameters;
	return json_pack("[o]", zone_info(zone));
}

static json_t *answer_domain_info(
	const struct zone *zone, const struct remote_source *source, const json_t *parameters)
{
	char relative[ZONE_TEXT_LEN];

	(void)source;
	if (!zone_relative(zone, text_of(parameters, "name"), relative) || *relative != '\0')
		return json_false();
	return zone_info(zone);
}

static json_t *record_of(
	const struct zone *zone, const char *relative, const struct zone_record *record)
{
	return json_pack("{s:s+++, s:s, s:s, s:i, s:i}", "qname", relative,
		*relative != '\0' ? "." : "", zone->name, ".", "qtype", record->type, "content",
		record->content, "ttl", ZONE_TTL_S, "domain_id", ZONE_ID);
}

static json_t *answer_lookup(
	const struct zone *zone, const struct remote_source *source, const json_t *parameters)
{
	const char *type = text_of(parameters, "qtype");
	struct zone_entry entry = { 0 };
	struct zone_answer answer;
	char relative[ZONE_TEXT_LEN];
	json_t *records;

	if (!zone_relative(zone, text_of(parameters, "qname"), relative))
		return json_array();
	if (zone_asks(relative, type) && source->find(source->context, relative, &entry) != OK)
		return NULL;
	zone_answer(zone, relative, type, &entry, &answer);
	records = json_array();
	for (size_t i = 0; i < answer.n; i++)
		json_array_append_new(records, record_of(zone, relative, &answer.records[i]));
	return records;
}

static const struct method methods[] = {
	{ "initialize", answer_initialize },
	{ "lookup", answer_lookup },
	{ "getAllDomains", answer_all_domains },
	{ "getDomainInfo", answer_domain_info },
};

static json_t *result_of(
	const struct zone *zone, const struct remote_source *source, const json_t *question)
{
	const char *name = text_of(question, "method");

	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (strcmp(name, methods[i].name) == 0)
			return methods[i].answer(
				zone, source, json_object_get(question, "parameters"));
	return json_false();
}

const char *remote_answer(const struct zone *zone, const struct remote_source *source,
	const char *line, size_t len, struct arena *arena)
{
	json_t *question = json_loadb(line, len, 0, NULL);
	json_t *result = result_of(zone, source, question);
	json_t *answer = result != NULL
				 ? json_pack("{s:o}", "result", result)
				 : json_pack("{s:[s]}", "log", "the names can't be read now");
	AUTO_FREE char *text = json_dumps(answer, JSON_COMPACT);
	const char *copy;

	if (text == NULL)
		BUG("no JSON for an answer");
	copy = arena_strdup(arena, text);
	json_decref(answer);
	json_decref(question);
	return copy;
}
