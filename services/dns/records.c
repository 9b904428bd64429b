/* records: see records.h. */
#include "services/dns/records.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void records_init(struct records *records, struct arena *arena, const char *type, int64_t now_s)
{
	*records = (struct records){ .arena = arena, .type = type, .now_s = now_s };
}

static bool wants(const struct records *records, const char *type)
{
	return strcmp(records->type, type) == 0 || strcmp(records->type, "ANY") == 0;
}

static struct record *grow(struct records *records)
{
	struct record *items = records->items;

	if (records->n == records->size) {
		records->size = records->size * 2 + 8;
		records->items = arena_alloc(records->arena, records->size * sizeof(*items));
		if (records->n > 0)
			memcpy(records->items, items, records->n * sizeof(*items));
	}
	return &records->items[records->n++];
}

void records_add(struct records *records, int zone, const char *owner, const char *type, int ttl,
	const char *format, ...)
{
	char content[1024];
	va_list args;

	if (!wants(records, type))
		return;
	va_start(args, format);
	vsnprintf(content, sizeof(content), format, args);
	va_end(args);
	*grow(records) = (struct record){ .owner = arena_strdup(records->arena, owner),
		.type = type,
		.content = arena_strdup(records->arena, content),
		.ttl = ttl,
		.zone = zone };
}

static void add_address(struct records *records, int zone, const char *owner, const char *address)
{
	if (*address != '\0')
		records_add(records, zone, owner, strchr(address, ':') != NULL ? "AAAA" : "A",
			RECORDS_TTL_S, "%s", address);
}

static void add_tunnel(const struct records_settings *settings, int zone, const char *owner,
	struct records *records)
{
	unsigned away = atomic_load(&settings->away);

	for (size_t i = 0; i < settings->n_tunnel; i++)
		if ((away >> i & 1) == 0)
			add_address(records, zone, owner, settings->tunnel[i]);
}

/* Who may issue certificates: the authorities of the settings, for the holder's account only if it
 * told one (RFC 8657). */
static void add_caa(const struct records_settings *settings, int zone, const char *owner,
	const char *account, struct records *records)
{
	const char *at = settings->caa + strspn(settings->caa, " ");

	while (*at != '\0') {
		int len = (int)strcspn(at, " ");

		if (*account != '\0')
			records_add(records, zone, owner, "CAA", RECORDS_TTL_S,
				"0 issue \"%.*s; accounturi=%s\"", len, at, account);
		else
			records_add(records, zone, owner, "CAA", RECORDS_TTL_S, "0 issue \"%.*s\"",
				len, at);
		at += len;
		at += strspn(at, " ");
	}
}

static bool add_challenges(
	const struct holding *holding, const char *owner, struct records *records)
{
	bool any = false;

	for (size_t i = 0; i < holding->n_challenges; i++)
		if (holding->challenges[i].until_s > records->now_s) {
			records_add(records, holding->zone, owner, "TXT", RECORDS_CHALLENGE_TTL_S,
				"\"%s\"", holding->challenges[i].value);
			any = true;
		}
	return any;
}

static bool add_self(const struct records_settings *settings, const struct holding *holding,
	struct records *records)
{
	const char *owner = holding->name;
	bool any = holding->kind == HOLDING_CHALLENGE && add_challenges(holding, owner, records);

	if (!holding->live)
		return any;
	if (holding->kind == HOLDING_TUNNEL)
		add_tunnel(settings, holding->zone, owner, records);
	else
		for (size_t i = 0; i < ARRAY_LEN(holding->addresses); i++)
			add_address(records, holding->zone, owner, holding->addresses[i]);
	if (holding->kind == HOLDING_TUNNEL)
		records_add(records, holding->zone, owner, "HTTPS", RECORDS_TTL_S, "1 .");
	if (holding->kind != HOLDING_MEMBER)
		add_caa(settings, holding->zone, owner, holding->account, records);
	return true;
}

bool records_of(const struct records_settings *settings, const struct holding *holding,
	enum owner owner, struct records *records)
{
	char name[DOMAIN_LEN];

	if (owner == OWNER_SELF)
		return add_self(settings, holding, records);
	if (owner == OWNER_CHALLENGE)
		return domain_join("_acme-challenge", holding->name, name) &&
		       add_challenges(holding, name, records);
	if (!holding->live || !domain_join("local", holding->name, name))
		return false;
	for (size_t i = 0; i < holding->n_local_ips; i++)
		add_address(records, holding->zone, name, holding->local_ips[i]);
	return true;
}

/* SOA: primary, mailbox, serial, refresh, retry, expire, negative TTL (RFC 1035, RFC 2308). */
void records_top(const struct records_settings *settings, int zone, const char *name,
	uint32_t serial, struct records *records)
{
	records_add(records, zone, name, "SOA", RECORDS_TTL_S,
		"%s. hostmaster.%s. %u 3600 600 86400 %d", settings->server, name, serial,
		RECORDS_NEGATIVE_TTL_S);
	if (strcmp(records->type, "SOA") == 0)
		return;
	records_add(records, zone, name, "NS", RECORDS_TTL_S, "%s.", settings->server);
	add_caa(settings, zone, name, "", records);
}

bool records_fixed(const struct records_settings *settings, int zone, const char *zone_name,
	bool members, const char *name, struct records *records)
{
	char api[DOMAIN_LEN];
	bool known = false;

	if (strcmp(name, settings->server) == 0) {
		add_address(records, zone, name, settings->address);
		known = true;
	}
	if (!members && domain_join("api", zone_name, api) && strcmp(name, api) == 0) {
		add_tunnel(settings, zone, name, records);
		known = true;
	}
	for (size_t i = 0; i < settings->n_extra; i++)
		if (strcmp(name, settings->extra[i].owner) == 0) {
			records_add(records, zone, name, settings->extra[i].type, RECORDS_TTL_S,
				"%s", settings->extra[i].content);
			known = true;
		}
	return known;
}

bool records_fixed_below(const struct records_settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->n_extra; i++)
		if (domain_prefix(settings->extra[i].owner, name) > 0)
			return true;
	return domain_prefix(settings->server, name) > 0;
}
