/*
 * bus_keys: see bus_keys.h. Called by lib/bus_seal for each message, in any thread.
 */
#include "lib/bus_keys.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <sodium.h>

#include <ctype.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX	 4096
#define CHECK_EVERY_MS	 1000
#define ID_CHARACTERS	 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#define EXPECTED_OF_LINE "ID:64 hex digits, ID of 1 to 8 letters, digits, - or _"

static bool parse_line(struct key *key, const char *line, size_t len)
{
	size_t id_len = strspn(line, ID_CHARACTERS);
	size_t key_len;

	*key = (struct key){ 0 };
	if (id_len == 0 || id_len > KEY_ID_LEN || line[id_len] != ':')
		return false;
	memcpy(key->id, line, id_len);
	return len == id_len + 1 + 2 * KEY_LEN &&
	       sodium_hex2bin(key->bytes, KEY_LEN, line + id_len + 1, 2 * KEY_LEN, NULL, &key_len,
		       NULL) == 0 &&
	       key_len == KEY_LEN;
}

static struct key *list_find(struct key_list *list, const uint8_t id[KEY_ID_LEN])
{
	for (size_t i = 0; i < list->n; i++)
		if (memcmp(list->keys[i].id, id, KEY_ID_LEN) == 0)
			return &list->keys[i];
	return NULL;
}

static err_t list_add(struct key_list *list, const char *line, size_t len, struct fault *fault)
{
	struct key key;

	if (list->n == KEYS_MAX)
		return fault_set(fault, ERR_INVALID_ARGUMENT, NULL, "at most %d keys", KEYS_MAX);
	if (!parse_line(&key, line, len))
		return fault_set(fault, ERR_INVALID_ARGUMENT, NULL, EXPECTED_OF_LINE);
	if (list_find(list, key.id) != NULL)
		return fault_set(fault, ERR_INVALID_ARGUMENT, NULL, "each ID once");
	list->keys[list->n++] = key;
	sodium_memzero(&key, sizeof(key));
	return OK;
}

err_t key_list_parse(struct key_list *list, const char *text, struct fault *fault)
{
	struct key_list found = { .n = 0 };
	err_t err = OK;

	for (const char *line = text; *line != '\0' && err == OK;) {
		size_t len = strcspn(line, "\n");
		size_t used = len;

		while (used > 0 && isspace((unsigned char)line[used - 1]))
			used--;
		if (used > 0 && *line != '#')
			err = list_add(&found, line, used, fault);
		line += len + (line[len] == '\n');
	}
	if (err == OK && found.n == 0)
		err = fault_set(
			fault, ERR_INVALID_ARGUMENT, NULL, "at least one line " EXPECTED_OF_LINE);
	if (err == OK)
		*list = found;
	sodium_memzero(&found, sizeof(found));
	return err;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Reads the whole file into `text`, NUL-terminated, and tells which file it was. */
static err_t read_file(
	const char *path, char text[FILE_MAX], struct stat *status, struct fault *fault)
{
	FILE *file = fopen(path, "re");
	size_t len = 0;
	err_t err = OK;

	if (file == NULL)
		return fault_set(fault, ERR_UNAVAILABLE, NULL, "%s", strerror(errno));
	setvbuf(file, NULL, _IONBF, 0);
	if (fstat(fileno(file), status) != 0)
		err = fault_set(fault, ERR_UNAVAILABLE, NULL, "%s", strerror(errno));
	else if ((len = fread(text, 1, FILE_MAX - 1, file)) == FILE_MAX - 1)
		err = fault_set(
			fault, ERR_INVALID_ARGUMENT, NULL, "at most %d bytes", FILE_MAX - 2);
	text[len] = '\0';
	fclose(file);
	return err;
}

/* Takes the file's keys over; on error those in use stay. */
static err_t load(struct keyring *keyring)
{
	struct key_list list;
	struct stat status;
	struct fault fault;
	char text[FILE_MAX];
	err_t err = read_file(keyring->path, text, &status, &fault);

	if (err == OK)
		err = key_list_parse(&list, text, &fault);
	sodium_memzero(text, sizeof(text));
	if (err != OK) {
		LOG_THROTTLED(LOG_LEVEL_ERROR, "fleet_keys_unreadable", "file=%s expected=%s",
			log_value(keyring->path), log_value(fault.detail));
		return err;
	}
	pthread_rwlock_wrlock(&keyring->lock);
	keyring->list = list;
	keyring->seen = status;
	pthread_rwlock_unlock(&keyring->lock);
	log_info("fleet_keys_read", "n=%zu first=%.*s", list.n, KEY_ID_LEN,
		(const char *)list.keys[0].id);
	sodium_memzero(&list, sizeof(list));
	return OK;
}

/* Reads the file again if it has changed, looking at most once a second. */
static void refresh(struct keyring *keyring)
{
	int64_t last = keyring->checked_ms;
	int64_t now = clock_ms();
	struct stat status;
	bool same;

	if (now - last < CHECK_EVERY_MS ||
		!atomic_compare_exchange_strong(&keyring->checked_ms, &last, now))
		return;
	pthread_rwlock_rdlock(&keyring->lock);
	same = stat(keyring->path, &status) == 0 && same_file(&status, &keyring->seen);
	pthread_rwlock_unlock(&keyring->lock);
	if (!same && load(keyring) != OK)
		return; /* logged; the keys in use stay, and the next look tries again */
}

err_t keyring_init(struct keyring *keyring, const char *path)
{
	err_t err;

	*keyring = (struct keyring){ .path = path, .checked_ms = clock_ms() };
	if (pthread_rwlock_init(&keyring->lock, NULL) != 0)
		BUG("pthread_rwlock_init");
	err = load(keyring);
	if (err != OK)
		keyring_finish(keyring);
	return err;
}

void keyring_finish(struct keyring *keyring)
{
	sodium_memzero(&keyring->list, sizeof(keyring->list));
	pthread_rwlock_destroy(&keyring->lock);
}

void keyring_first(struct keyring *keyring, struct key *key)
{
	refresh(keyring);
	pthread_rwlock_rdlock(&keyring->lock);
	*key = keyring->list.keys[0];
	pthread_rwlock_unlock(&keyring->lock);
}

bool keyring_find(struct keyring *keyring, const uint8_t id[KEY_ID_LEN], struct key *key)
{
	const struct key *found;

	refresh(keyring);
	pthread_rwlock_rdlock(&keyring->lock);
	found = list_find(&keyring->list, id);
	if (found != NULL)
		*key = *found;
	pthread_rwlock_unlock(&keyring->lock);
	return found != NULL;
}
