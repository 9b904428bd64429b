/* remote_zone: lookups, zones, transfers to secondaries. */
#include "services/dns/remote_method.h"

#include "lib/clock.h"
#include "services/dns/store_zone.h"

#include <string.h>

static json_t *answer_initialize(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	(void)remote, (void)parameters, (void)arena;
	return json_true();
}

static json_t *records_json(const struct records *records)
{
	json_t *list = json_array();

	for (size_t i = 0; i < records->n; i++)
		json_array_append_new(list, remote_record(&records->items[i]));
	return list;
}

static json_t *answer_lookup(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	struct records records;

	if (!directory_is_ready(remote->directory))
		return NULL;
	records_init(&records, arena, remote_text(parameters, "qtype"), clock_unix_ms() / 1000);
	directory_lookup(remote->directory, remote_text(parameters, "qname"), &records);
	return records_json(&records);
}

static json_t *answer_list(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	const struct directory_zone *zone =
		directory_zone_named(remote->directory, remote_text(parameters, "zonename"), arena);
	struct records records;

	if (!directory_is_ready(remote->directory))
		return NULL;
	records_init(&records, arena, "ANY", clock_unix_ms() / 1000);
	if (zone == NULL || !directory_list(remote->directory, zone->number, &records))
		return json_false();
	return records_json(&records);
}

/* Kind "master" makes PowerDNS notify secondaries, where its own settings let it. */
static json_t *zone_info(const struct directory_zone *zone)
{
	return json_pack("{s:i, s:s+, s:s, s:[], s:I, s:I, s:i}", "id", zone->number, "zone",
		zone->name, ".", "kind", "master", "masters", "serial", (json_int_t)zone->serial,
		"notified_serial", (json_int_t)zone->notified, "last_check", 0);
}

static json_t *answer_all_domains(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	json_t *list = json_array();
	size_t n;
	const struct directory_zone **zones = directory_zones(remote->directory, arena, &n);

	(void)parameters;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, zone_info(zones[i]));
	return list;
}

static json_t *answer_domain_info(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	const struct directory_zone *zone =
		directory_zone_named(remote->directory, remote_text(parameters, "name"), arena);

	return zone != NULL ? zone_info(zone) : json_false();
}

static json_t *answer_updated(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	json_t *list = json_array();
	size_t n;
	const struct directory_zone **zones = directory_zones(remote->directory, arena, &n);

	(void)parameters;
	for (size_t i = 0; i < n; i++)
		if (zones[i]->serial != zones[i]->notified)
			json_array_append_new(list, zone_info(zones[i]));
	return list;
}

static err_t set_notified(struct call *call, void *arg)
{
	const json_t *parameters = arg;
	const json_t *serial = json_object_get(parameters, "serial");

	return store_zone_notified(
		call, remote_int(parameters, "id"), (uint32_t)json_integer_value(serial));
}

static json_t *answer_set_notified(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	(void)arena;
	return json_boolean(remote->change != NULL && remote->change(remote->context, set_notified,
							      (void *)parameters) == OK);
}

/* Absolute names go out relative to the zone, "" for its top. */
static const char *relative(struct arena *arena, const char *name, const char *zone)
{
	int len = domain_prefix(name, zone);

	return arena_strndup(arena, name, len > 0 ? (size_t)len : 0);
}

static json_t *answer_neighbours(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	const struct directory_zone *zone =
		directory_zone_numbered(remote->directory, remote_int(parameters, "id"), arena);
	char before[DOMAIN_LEN], after[DOMAIN_LEN], name[DOMAIN_LEN], text[DOMAIN_LEN];

	if (zone == NULL)
		return json_false();
	strcpy(name, zone->name);
	if (domain_normalise(remote_text(parameters, "qname"), text) &&
		!domain_join(text, zone->name, name))
		return json_false();
	if (!directory_neighbours(remote->directory, zone->number, name, before, after))
		return json_false();
	return json_pack("{s:s, s:s, s:s}", "unhashed", relative(arena, name, zone->name), "before",
		relative(arena, before, zone->name), "after", relative(arena, after, zone->name));
}

const struct remote_method remote_zone_methods[] = {
	{ "initialize", answer_initialize },
	{ "lookup", answer_lookup },
	{ "list", answer_list },
	{ "getAllDomains", answer_all_domains },
	{ "getDomainInfo", answer_domain_info },
	{ "getUpdatedMasters", answer_updated },
	{ "setNotified", answer_set_notified },
	{ "getBeforeAndAfterNamesAbsolute", answer_neighbours },
	{ NULL, NULL },
};
