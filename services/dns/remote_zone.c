/* remote_zone: lookups, zones, transfers to secondaries. */
#include "services/dns/remote_method.h"

#include "services/dns/store_zone.h"

#include <string.h>

static json_t *answer_initialize(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	(void)remote, (void)parameters, (void)arena;
	return json_true();
}

static enum remote_result find_lookup(
	const struct remote *remote, const json_t *parameters, struct records *records)
{
	if (!directory_is_ready(remote->directory))
		return REMOTE_LATER;
	records->type = remote_text(parameters, "qtype");
	directory_lookup(remote->directory, remote_text(parameters, "qname"), records);
	return REMOTE_RESULT;
}

static enum remote_result find_list(
	const struct remote *remote, const json_t *parameters, struct records *records)
{
	const struct directory_zone *zone = directory_zone_named(
		remote->directory, remote_text(parameters, "zonename"), records->arena);

	records->of_zone = true;
	if (!directory_is_ready(remote->directory))
		return REMOTE_LATER;
	if (zone == NULL || !directory_list(remote->directory, zone->number, records))
		return REMOTE_FALSE;
	return REMOTE_RESULT;
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
	{ "initialize", .answer = answer_initialize },
	{ "lookup", .find = find_lookup },
	{ "list", .find = find_list },
	{ "getAllDomains", .answer = answer_all_domains },
	{ "getDomainInfo", .answer = answer_domain_info },
	{ "getUpdatedMasters", .answer = answer_updated },
	{ "setNotified", .answer = answer_set_notified },
	{ "getBeforeAndAfterNamesAbsolute", .answer = answer_neighbours },
	{ .name = NULL },
};
