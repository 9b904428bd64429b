/* we500_memory: entries in sets of WAYS; a new one takes the place of the oldest in its set. */
#include "gateway/compat/we500_memory.h"

#include "lib/clock.h"
#include "lib/slot.h"

#include <sodium.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define SETS	   16384
#define WAYS	   8
#define KEEP_MS	   ((int64_t)24 * 60 * 60 * 1000)
#define FRESH_MS   ((int64_t)60 * 60 * 1000)
#define NOTE_MS	   60000
#define TENANTS	   4096 /* slots of counters; two that share one only ask more often */
#define SERIALS	   65536
#define ID_LEN	   37
#define SOURCE_LEN 46
#define MD5_LEN	   33
#define KEY_LEN	   crypto_generichash_BYTES

struct entry {
	unsigned char key[KEY_LEN];
	int64_t at_ms; /* 0: empty */
	int64_t noted_ms;
	uint32_t reconnection_time, interval_s;
	uint8_t status, auth_type;
	bool has_package, settled, bare_xml;
	char md5[4][MD5_LEN];
	char tenant[ID_LEN], device[ID_LEN];
	char source[SOURCE_LEN];
	uint32_t tenant_changes, serial_changes; /* when it was told */
};

static struct {
	pthread_mutex_t mutex; /* guards what follows */
	bool seeded;
	unsigned char seed[crypto_generichash_KEYBYTES];
	uint64_t changes;
	uint32_t tenants[TENANTS], serials[SERIALS]; /* changes of each */
	struct entry entries[SETS][WAYS];
} memory = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/* The length of each text is part of it, so that no two requests have one key. */
static void digest(const Provision__PortalRequest *request, unsigned char key[KEY_LEN])
{
	const char *const texts[] = { request->host, request->serial, request->password };
	crypto_generichash_state state;

	if (!memory.seeded)
		randombytes_buf(memory.seed, sizeof(memory.seed));
	memory.seeded = true;
	crypto_generichash_init(&state, memory.seed, sizeof(memory.seed), KEY_LEN);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		crypto_generichash_update(
			&state, (const unsigned char *)texts[i], strlen(texts[i]) + 1);
	crypto_generichash_final(&state, key, KEY_LEN);
}

/* The entry of the key, or the one to take for it. */
static struct entry *find(const unsigned char key[KEY_LEN])
{
	uint16_t number;
	struct entry *set, *oldest;

	memcpy(&number, key, sizeof(number));
	set = oldest = memory.entries[number % SETS];
	for (int i = 0; i < WAYS; i++) {
		if (set[i].at_ms != 0 && sodium_memcmp(set[i].key, key, KEY_LEN) == 0)
			return &set[i];
		if (set[i].at_ms < oldest->at_ms)
			oldest = &set[i];
	}
	return oldest;
}

/* FNV-1a: which slot somebody shares does no harm. */
static uint32_t hash(const char *text)
{
	uint32_t sum = 2166136261U;

	for (; *text != '\0'; text++)
		sum = (sum ^ (unsigned char)*text) * 16777619U;
	return sum;
}

static uint32_t *tenant_changes(const char *tenant)
{
	return &memory.tenants[hash(tenant) % TENANTS];
}

static uint32_t *serial_changes(const char *serial)
{
	return &memory.serials[hash(serial) % SERIALS];
}

static void fill(struct entry *entry, const Provision__PortalRequest *request,
	const Provision__PortalStatus *status, int64_t now_ms)
{
	const char *const md5[] = { status->md5_ca_cert, status->md5_client_conf,
		status->md5_ta_key, status->md5_credentials };

	entry->at_ms = now_ms;
	entry->reconnection_time = status->reconnection_time;
	entry->status = (uint8_t)status->status;
	entry->auth_type = (uint8_t)status->auth_type;
	entry->has_package = status->has_package;
	entry->bare_xml = status->bare_xml;
	entry->noted_ms = now_ms;
	entry->interval_s = status->interval_s;
	snprintf(entry->tenant, ID_LEN, "%s", status->tenant);
	snprintf(entry->device, ID_LEN, "%s", status->device);
	snprintf(entry->source, SOURCE_LEN, "%s", request->source);
	entry->tenant_changes = *tenant_changes(entry->tenant);
	entry->serial_changes = *serial_changes(request->serial);
	for (size_t i = 0; i < ARRAY_LEN(md5); i++)
		snprintf(entry->md5[i], MD5_LEN, "%s", md5[i]);
}

void we500_memory_keep(const Provision__PortalRequest *request,
	const Provision__PortalStatus *status, uint64_t changes, int64_t now_ms)
{
	unsigned char key[KEY_LEN];
	struct entry *entry;

	pthread_mutex_lock(&memory.mutex);
	digest(request, key);
	entry = find(key);
	memcpy(entry->key, key, KEY_LEN);
	fill(entry, request, status, now_ms);
	/* Between question and answer something may have changed that the answer does not show. */
	entry->settled = status->settled && changes == memory.changes;
	pthread_mutex_unlock(&memory.mutex);
}

uint64_t we500_memory_changes(void)
{
	uint64_t changes;

	pthread_mutex_lock(&memory.mutex);
	changes = memory.changes;
	pthread_mutex_unlock(&memory.mutex);
	return changes;
}

void we500_memory_changed(const char *tenant, const char *serial)
{
	pthread_mutex_lock(&memory.mutex);
	memory.changes++;
	if (*serial != '\0')
		++*serial_changes(serial);
	else
		++*tenant_changes(tenant);
	pthread_mutex_unlock(&memory.mutex);
}

/* Is it the asker's own, and not merely the one to take? */
static bool is_own(const struct entry *entry, const unsigned char key[KEY_LEN])
{
	return entry->at_ms != 0 && sodium_memcmp(entry->key, key, KEY_LEN) == 0;
}

void we500_memory_drop(const Provision__PortalRequest *request)
{
	unsigned char key[KEY_LEN];
	struct entry *entry;

	pthread_mutex_lock(&memory.mutex);
	digest(request, key);
	entry = find(key);
	if (is_own(entry, key))
		entry->at_ms = 0;
	pthread_mutex_unlock(&memory.mutex);
}

static void read_entry(
	struct arena *arena, const struct entry *entry, Provision__PortalStatus *status)
{
	status->reconnection_time = entry->reconnection_time;
	status->status = entry->status;
	status->auth_type = entry->auth_type;
	status->has_package = entry->has_package;
	status->bare_xml = entry->bare_xml;
	status->md5_ca_cert = arena_strdup(arena, entry->md5[0]);
	status->md5_client_conf = arena_strdup(arena, entry->md5[1]);
	status->md5_ta_key = arena_strdup(arena, entry->md5[2]);
	status->md5_credentials = arena_strdup(arena, entry->md5[3]);
	status->tenant = arena_strdup(arena, entry->tenant);
	status->device = arena_strdup(arena, entry->device);
	status->interval_s = entry->interval_s;
}

bool we500_memory_find(struct arena *arena, const Provision__PortalRequest *request, int64_t now_ms,
	Provision__PortalStatus *status)
{
	unsigned char key[KEY_LEN];
	struct entry entry;
	bool found;

	pthread_mutex_lock(&memory.mutex);
	digest(request, key);
	entry = *find(key);
	pthread_mutex_unlock(&memory.mutex);
	found = is_own(&entry, key) && now_ms - entry.at_ms < KEEP_MS;
	if (found)
		read_entry(arena, &entry, status);
	return found;
}

static bool is_fresh(
	const struct entry *entry, const Provision__PortalRequest *request, int64_t now_ms)
{
	return entry->settled && now_ms - entry->at_ms < FRESH_MS &&
	       entry->tenant_changes == *tenant_changes(entry->tenant) &&
	       entry->serial_changes == *serial_changes(request->serial) &&
	       strcmp(entry->source, request->source) == 0;
}

bool we500_memory_fresh(struct arena *arena, const Provision__PortalRequest *request,
	int64_t now_ms, Provision__PortalStatus *status, bool *note)
{
	unsigned char key[KEY_LEN];
	struct entry *entry;
	bool fresh;

	pthread_mutex_lock(&memory.mutex);
	digest(request, key);
	entry = find(key);
	fresh = is_own(entry, key) && is_fresh(entry, request, now_ms);
	if (fresh) {
		read_entry(arena, entry, status);
		*note = now_ms - entry->noted_ms >= NOTE_MS;
		entry->noted_ms = *note ? now_ms : entry->noted_ms;
	}
	pthread_mutex_unlock(&memory.mutex);
	if (fresh)
		status->reconnection_time = (uint32_t)slot_wait_s(request->serial,
			(int)status->interval_s, clock_unix_ms() / 1000, randombytes_random());
	return fresh;
}
