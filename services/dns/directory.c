/*
 * directory: holdings by id, owners of records by name, zones by name. An owner counts the owners
 * below it, so that a name which only has names below it is known to exist.
 */
#include "services/dns/directory_internal.h"

#include "lib/clock.h"
#include "services/dns/kite.h"

#include <stdlib.h>
#include <string.h>

struct directory *directory_create(const struct records_settings *settings)
{
	struct directory *directory = xcalloc(1, sizeof(*directory));

	directory->settings = settings;
	pthread_rwlock_init(&directory->lock, NULL);
	return directory;
}

void directory_destroy(struct directory *directory)
{
	if (directory == NULL)
		return;
	directory_clear(directory);
	pthread_rwlock_destroy(&directory->lock);
	free(directory);
}

/* ---- owners ---- */

static struct node *node_find(const struct directory *directory, const char *name)
{
	struct node *node;

	HASH_FIND_STR(directory->nodes, name, node);
	return node;
}

static struct node *node_get(struct directory *directory, const char *name)
{
	struct node *node = node_find(directory, name);
	size_t len = strlen(name);

	if (node != NULL)
		return node;
	node = xcalloc(1, sizeof(*node) + len + 1);
	memcpy(node->name, name, len + 1);
	HASH_ADD_KEYPTR(hh, directory->nodes, node->name, len, node);
	return node;
}

static void node_drop_empty(struct directory *directory, struct node *node)
{
	if (node->places != NULL || node->n_below > 0)
		return;
	HASH_DEL(directory->nodes, node);
	free(node);
}

static void owner_add(struct directory *directory, const struct holding *holding, enum owner owner,
	const char *name)
{
	struct place *place = xmalloc(sizeof(*place));
	struct node *node = node_get(directory, name);

	*place = (struct place){ node->places, holding, owner };
	node->places = place;
	while ((name = domain_parent(name)) != NULL)
		node_get(directory, name)->n_below++;
}

static void owner_remove(struct directory *directory, const struct holding *holding,
	enum owner owner, const char *name)
{
	struct node *node = node_find(directory, name);
	struct place **slot = &node->places;
	struct place *place;

	while ((*slot)->holding != holding || (*slot)->owner != owner)
		slot = &(*slot)->next;
	place = *slot;
	*slot = place->next;
	free(place);
	node_drop_empty(directory, node);
	while ((name = domain_parent(name)) != NULL) {
		node = node_find(directory, name);
		node->n_below--;
		node_drop_empty(directory, node);
	}
}

/* Runs `change` for each owner that the holding has records at. */
static void each_owner(struct directory *directory, const struct holding *holding,
	void (*change)(struct directory *, const struct holding *, enum owner, const char *))
{
	char name[DOMAIN_LEN];

	change(directory, holding, OWNER_SELF, holding->name);
	if (holding->n_local_ips > 0 && domain_join("local", holding->name, name))
		change(directory, holding, OWNER_LOCAL, name);
	if (holding->kind != HOLDING_CHALLENGE && holding->n_challenges > 0 &&
		domain_join("_acme-challenge", holding->name, name))
		change(directory, holding, OWNER_CHALLENGE, name);
}

/* ---- writing ---- */

void directory_begin(struct directory *directory)
{
	pthread_rwlock_wrlock(&directory->lock);
}

void directory_end(struct directory *directory)
{
	directory->ready = true;
	pthread_rwlock_unlock(&directory->lock);
}

static void zone_free(struct directory *directory, struct zone *zone)
{
	HASH_DEL(directory->zones, zone);
	arena_destroy(zone->at->arena);
	free(zone);
}

static void entry_free(struct directory *directory, struct entry *entry)
{
	each_owner(directory, entry->holding, owner_remove);
	HASH_DEL(directory->entries, entry);
	free(entry->holding);
	free(entry);
}

void directory_clear(struct directory *directory)
{
	struct zone *zone, *next_zone;
	struct entry *entry, *next_entry;

	HASH_ITER(hh, directory->zones, zone, next_zone)
	zone_free(directory, zone);
	HASH_ITER(hh, directory->entries, entry, next_entry)
	entry_free(directory, entry);
}

void directory_remove(struct directory *directory, const char *id)
{
	struct entry *entry;
	struct zone *zone, *next;

	HASH_FIND_STR(directory->entries, id, entry);
	if (entry != NULL)
		entry_free(directory, entry);
	HASH_ITER(hh, directory->zones, zone, next)
	{
		if (strcmp(zone->at->id, id) == 0)
			zone_free(directory, zone);
	}
}

void directory_put_zone(struct directory *directory, struct directory_zone *at)
{
	struct zone *zone = xcalloc(1, sizeof(*zone));

	directory_remove(directory, at->id);
	zone->at = at;
	HASH_ADD_KEYPTR(hh, directory->zones, at->name, strlen(at->name), zone);
}

void directory_put(struct directory *directory, struct holding *holding)
{
	struct entry *entry;

	HASH_FIND_STR(directory->entries, holding->id, entry);
	if (entry != NULL)
		entry_free(directory, entry);
	entry = xcalloc(1, sizeof(*entry));
	entry->holding = holding;
	HASH_ADD_KEYPTR(hh, directory->entries, holding->id, strlen(holding->id), entry);
	each_owner(directory, holding, owner_add);
}

/* ---- records ---- */

bool directory_is_ready(struct directory *directory)
{
	bool ready;

	directory_read_begin(directory);
	ready = directory->ready;
	directory_read_end(directory);
	return ready;
}

/* What a front end of PageKite wants to know of the kite that `question` tells of; NULL: it is no
 * such question. */
static const char *judge_kite(
	const struct directory *directory, const char *question, const struct directory_zone *zone)
{
	const char *verdict = KITE_UNKNOWN;
	const struct node *node;
	char buf[DOMAIN_LEN];
	struct kite kite;

	if (!kite_read(question, zone->name, buf, &kite))
		return NULL;
	node = node_find(directory, kite.name);
	for (const struct place *place = node != NULL ? node->places : NULL; place != NULL;
		place = place->next)
		if (place->owner == OWNER_SELF && place->holding->live &&
			place->holding->kind == HOLDING_TUNNEL && *place->holding->kite != '\0')
			verdict = kite_check(&kite, place->holding->kite) ? KITE_GOOD : KITE_WRONG;
	return verdict;
}

static void lookup(const struct directory *directory, const char *name,
	const struct directory_zone *zone, struct records *records)
{
	const struct node *node = node_find(directory, name);
	bool exists = node != NULL && node->n_below > 0;
	const char *verdict = judge_kite(directory, name, zone);

	if (verdict != NULL)
		records_add(records, zone->number, name, "A", RECORDS_TTL_S, "%s", verdict);
	if (strcmp(name, zone->name) == 0) {
		records_top(directory->settings, zone->number, zone->name, zone->serial, records);
		exists = true;
	}
	if (records_fixed(
		    directory->settings, zone->number, zone->name, zone->members, name, records) ||
		records_fixed_below(directory->settings, name))
		exists = true;
	for (const struct place *place = node != NULL ? node->places : NULL; place != NULL;
		place = place->next)
		if (records_of(directory->settings, place->holding, place->owner, records))
			exists = true;
	if (records->n == 0 && exists && strcmp(records->type, "ANY") == 0)
		records_add(records, zone->number, name, "", RECORDS_TTL_S, "%s", "");
}

void directory_lookup(struct directory *directory, const char *name, struct records *records)
{
	const struct directory_zone *zone;
	char text[DOMAIN_LEN];

	if (!domain_normalise(name, text))
		return;
	directory_read_begin(directory);
	zone = directory_around(directory, text);
	if (zone != NULL)
		lookup(directory, text, zone, records);
	directory_read_end(directory);
}

static void list_fixed(const struct directory *directory, const struct directory_zone *zone,
	struct records *records)
{
	const struct records_settings *settings = directory->settings;
	char api[DOMAIN_LEN];

	if (domain_prefix(settings->server, zone->name) > 0)
		records_fixed(settings, zone->number, zone->name, zone->members, settings->server,
			records);
	if (domain_join("api", zone->name, api) && strcmp(api, settings->server) != 0)
		records_fixed(settings, zone->number, zone->name, zone->members, api, records);
	if (strcmp(zone->name, settings->names_zone) == 0)
		for (size_t i = 0; i < settings->n_extra; i++)
			records_add(records, zone->number, settings->extra[i].owner,
				settings->extra[i].type, RECORDS_TTL_S, "%s",
				settings->extra[i].content);
}

bool directory_list(struct directory *directory, int number, struct records *records)
{
	const struct directory_zone *zone;
	struct entry *entry, *next;

	records->type = "ANY";
	directory_read_begin(directory);
	zone = directory_numbered(directory, number);
	if (zone != NULL) {
		records_top(directory->settings, number, zone->name, zone->serial, records);
		list_fixed(directory, zone, records);
		HASH_ITER(hh, directory->entries, entry, next)
		{
			if (entry->holding->zone != number)
				continue;
			for (enum owner owner = OWNER_SELF; owner <= OWNER_CHALLENGE; owner++)
				(void)records_of(
					directory->settings, entry->holding, owner, records);
		}
	}
	directory_read_end(directory);
	return zone != NULL;
}

/* Keeps the nearest of the names seen so far, and the ends of the order in case there is none. */
struct neighbours {
	const char *name;
	char *before, *after; /* "" while there is none */
	char first[DOMAIN_LEN], last[DOMAIN_LEN];
};

static void consider(struct neighbours *neighbours, const char *name)
{
	int order = domain_compare(name, neighbours->name);

	if (*neighbours->first == '\0' || domain_compare(name, neighbours->first) < 0)
		strcpy(neighbours->first, name);
	if (*neighbours->last == '\0' || domain_compare(name, neighbours->last) > 0)
		strcpy(neighbours->last, name);
	if (order <= 0 &&
		(*neighbours->before == '\0' || domain_compare(name, neighbours->before) > 0))
		strcpy(neighbours->before, name);
	if (order > 0 &&
		(*neighbours->after == '\0' || domain_compare(name, neighbours->after) < 0))
		strcpy(neighbours->after, name);
}

bool directory_neighbours(struct directory *directory, int zone, const char *name,
	char before[DOMAIN_LEN], char after[DOMAIN_LEN])
{
	struct neighbours neighbours = { .name = name, .before = before, .after = after };
	AUTO_ARENA arena = arena_create();
	struct records records;

	*before = *after = '\0';
	records_init(&records, arena, "ANY", clock_unix_ms() / 1000);
	if (!directory_list(directory, zone, &records))
		return false;
	for (size_t i = 0; i < records.n; i++)
		consider(&neighbours, records.items[i].owner);
	if (*before == '\0')
		strcpy(before, neighbours.last);
	if (*after == '\0')
		strcpy(after, neighbours.first);
	return true;
}

struct directory_size directory_size(struct directory *directory)
{
	struct directory_size size;

	directory_read_begin(directory);
	size = (struct directory_size){ HASH_COUNT(directory->zones),
		HASH_COUNT(directory->entries), HASH_COUNT(directory->nodes) };
	directory_read_end(directory);
	return size;
}
