/* remote_secure: what PowerDNS keeps with us of a zone: keys of DNSSEC, settings, keys of TSIG. */
#include "services/dns/remote_method.h"

#include "lib/db.h"
#include "services/dns/store_zone.h"

#include <string.h>
#include <strings.h>

#define TEXT_MAX 8192 /* of a key, or of one value */

static bool change(const struct remote *remote, err_t (*work)(struct call *, void *), void *arg)
{
	return remote->change != NULL && remote->change(remote->context, work, arg) == OK;
}

static const struct directory_zone *zone_of(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	return directory_zone_named(remote->directory, remote_text(parameters, "name"), arena);
}

/* ---- keys ---- */

static json_t *answer_keys(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	const struct directory_zone *zone = zone_of(remote, parameters, arena);
	json_t *list;

	if (!directory_is_ready(remote->directory))
		return NULL;
	if (zone == NULL || zone->n_keys == 0)
		return json_false();
	list = json_array();
	for (size_t i = 0; i < zone->n_keys; i++)
		json_array_append_new(list,
			json_pack("{s:i, s:i, s:b, s:b, s:s}", "id", zone->keys[i].id, "flags",
				zone->keys[i].flags, "active", zone->keys[i].active, "published",
				zone->keys[i].published, "content", zone->keys[i].content));
	return list;
}

static err_t add_key(struct call *call, void *arg)
{
	return store_key_add(call, arg);
}

static json_t *answer_add_key(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	const struct directory_zone *zone = zone_of(remote, parameters, arena);
	const json_t *asked = json_object_get(parameters, "key");
	struct store_key key = { .flags = remote_int(asked, "flags"),
		.active = remote_bool(asked, "active"),
		.published = json_object_get(asked, "published") == NULL ||
			     remote_bool(asked, "published"),
		.content = remote_text(asked, "content") };

	if (zone == NULL || *key.content == '\0' || strlen(key.content) > TEXT_MAX)
		return json_false();
	key.zone = zone->number;
	return change(remote, add_key, &key) ? json_integer(key.id) : json_false();
}

/* One of the changes to a key that is there. */
static json_t *change_key(const struct remote *remote, const json_t *parameters,
	struct arena *arena, err_t (*work)(struct call *, void *), bool value)
{
	const struct directory_zone *zone = zone_of(remote, parameters, arena);
	struct store_key key = {
		.id = remote_int(parameters, "id"), .active = value, .published = value
	};

	if (zone == NULL)
		return json_false();
	key.zone = zone->number;
	return json_boolean(change(remote, work, &key));
}

static err_t remove_key(struct call *call, void *arg)
{
	return store_key_remove(call, arg);
}

static err_t activate_key(struct call *call, void *arg)
{
	return store_key_activate(call, arg);
}

static err_t publish_key(struct call *call, void *arg)
{
	return store_key_publish(call, arg);
}

static json_t *answer_remove_key(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	return change_key(remote, parameters, arena, remove_key, false);
}

static json_t *answer_activate(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	return change_key(remote, parameters, arena, activate_key, true);
}

static json_t *answer_deactivate(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	return change_key(remote, parameters, arena, activate_key, false);
}

static json_t *answer_publish(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	return change_key(remote, parameters, arena, publish_key, true);
}

static json_t *answer_unpublish(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	return change_key(remote, parameters, arena, publish_key, false);
}

/* ---- settings ---- */

/* A zone that gets signed proves what does not exist without telling what does: NSEC3 with narrow
 * ranges. Told of every zone, as PowerDNS remembers what it was told before. */
static const struct {
	const char *kind, *value;
} defaults[] = {
	{ "NSEC3PARAM", "1 0 0 -" },
	{ "NSEC3NARROW", "1" },
};

static const struct directory_metadata *setting_of(
	const struct directory_zone *zone, const char *kind)
{
	for (size_t i = 0; i < zone->n_metadata; i++)
		if (strcasecmp(zone->metadata[i].kind, kind) == 0)
			return &zone->metadata[i];
	return NULL;
}

static json_t *values_json(const struct directory_metadata *setting)
{
	json_t *list = json_array();

	for (const char **value = setting->values; *value != NULL; value++)
		json_array_append_new(list, json_string(*value));
	return list;
}

static json_t *settings_json(const struct directory_zone *zone)
{
	json_t *all = json_object();

	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		json_object_set_new(all, defaults[i].kind, json_pack("[s]", defaults[i].value));
	for (size_t i = 0; i < zone->n_metadata; i++)
		json_object_set_new(all, zone->metadata[i].kind, values_json(&zone->metadata[i]));
	return all;
}

static json_t *answer_settings(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	const struct directory_zone *zone = zone_of(remote, parameters, arena);

	if (!directory_is_ready(remote->directory))
		return NULL;
	return zone != NULL ? settings_json(zone) : json_object();
}

static json_t *answer_setting(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	const struct directory_zone *zone = zone_of(remote, parameters, arena);
	const char *kind = remote_text(parameters, "kind");
	const struct directory_metadata *setting;

	if (zone == NULL)
		return json_array();
	if ((setting = setting_of(zone, kind)) != NULL)
		return values_json(setting);
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		if (strcasecmp(defaults[i].kind, kind) == 0)
			return json_pack("[s]", defaults[i].value);
	return json_array();
}

struct setting {
	int zone;
	const char *kind;
	char **values;
	size_t n;
};

static err_t set_setting(struct call *call, void *arg)
{
	const struct setting *setting = arg;

	return store_metadata_set(call, setting->zone, setting->kind,
		db_array(call->arena, setting->n, setting->values));
}

static json_t *answer_set_setting(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	const struct directory_zone *zone = zone_of(remote, parameters, arena);
	const json_t *values = json_object_get(parameters, "value");
	struct setting setting = { .kind = remote_text(parameters, "kind") };
	const json_t *value;
	size_t i;

	if (zone == NULL || *setting.kind == '\0' || strlen(setting.kind) > 64)
		return json_false();
	setting.zone = zone->number;
	setting.values = arena_alloc(arena, (json_array_size(values) + 1) * sizeof(char *));
	json_array_foreach(values, i, value)
	{
		const char *text = json_string_value(value);

		if (text == NULL || strlen(text) > TEXT_MAX || strchr(text, '\n') != NULL)
			return json_false();
		setting.values[setting.n++] = arena_strdup(arena, text);
	}
	return json_boolean(change(remote, set_setting, &setting));
}

/* ---- TSIG: asked for by transfers and updates only, so from the database ---- */

struct tsig_list {
	const char *name;
	json_t *keys;
};

static err_t read_tsig(struct call *call, void *arg)
{
	struct tsig_list *list = arg;
	struct store_tsig *keys;
	size_t n;
	err_t err = store_tsig_list(call, list->name, &keys, &n);

	json_array_clear(list->keys);
	for (size_t i = 0; err == OK && i < n; i++)
		json_array_append_new(
			list->keys, json_pack("{s:s, s:s, s:s}", "name", keys[i].name, "algorithm",
					    keys[i].algorithm, "content", keys[i].content));
	return err;
}

static json_t *answer_tsig_keys(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	struct tsig_list list = { .keys = json_array() };

	(void)parameters, (void)arena;
	if (change(remote, read_tsig, &list))
		return list.keys;
	json_decref(list.keys);
	return NULL;
}

static json_t *answer_tsig_key(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	char name[DOMAIN_LEN];
	struct tsig_list list = { .name = name, .keys = json_array() };
	json_t *key = NULL;

	(void)arena;
	if (!domain_normalise(remote_text(parameters, "name"), name) ||
		(change(remote, read_tsig, &list) && json_array_size(list.keys) == 0))
		key = json_false();
	else
		key = json_incref(json_array_get(list.keys, 0));
	json_decref(list.keys);
	return key;
}

static err_t set_tsig(struct call *call, void *arg)
{
	return store_tsig_set(call, arg);
}

static json_t *answer_set_tsig(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	char name[DOMAIN_LEN];
	struct store_tsig key = { name, remote_text(parameters, "algorithm"),
		remote_text(parameters, "content") };

	(void)arena;
	if (!domain_normalise(remote_text(parameters, "name"), name) || *key.algorithm == '\0' ||
		strlen(key.algorithm) > DOMAIN_LEN || *key.content == '\0' ||
		strlen(key.content) > TEXT_MAX)
		return json_false();
	return json_boolean(change(remote, set_tsig, &key));
}

static err_t delete_tsig(struct call *call, void *arg)
{
	return store_tsig_delete(call, arg);
}

static json_t *answer_delete_tsig(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	char name[DOMAIN_LEN];

	(void)arena;
	return json_boolean(domain_normalise(remote_text(parameters, "name"), name) &&
			    change(remote, delete_tsig, name));
}

const struct remote_method remote_secure_methods[] = {
	{ "getDomainKeys", .answer = answer_keys },
	{ "addDomainKey", .answer = answer_add_key },
	{ "removeDomainKey", .answer = answer_remove_key },
	{ "activateDomainKey", .answer = answer_activate },
	{ "deactivateDomainKey", .answer = answer_deactivate },
	{ "publishDomainKey", .answer = answer_publish },
	{ "unpublishDomainKey", .answer = answer_unpublish },
	{ "getAllDomainMetadata", .answer = answer_settings },
	{ "getDomainMetadata", .answer = answer_setting },
	{ "setDomainMetadata", .answer = answer_set_setting },
	{ "getTSIGKeys", .answer = answer_tsig_keys },
	{ "getTSIGKey", .answer = answer_tsig_key },
	{ "setTSIGKey", .answer = answer_set_tsig },
	{ "deleteTSIGKey", .answer = answer_delete_tsig },
	{ .name = NULL },
};
