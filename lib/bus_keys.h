/*
 * bus_keys: the fleet's keys, from a file with a line "ID:64 hex digits" for each. The first key
 * seals, every key opens, so a key is rotated by adding the new one, moving it to the front, and
 * taking the old one out. The file is read again when it has changed; a broken file changes
 * nothing. Thread safe.
 */
#pragma once

#include "lib/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#define KEY_LEN	   32
#define KEY_ID_LEN 8 /* 1 to 8 of A-Z a-z 0-9 - _, padded with NUL */
#define KEYS_MAX   8

struct key {
	uint8_t id[KEY_ID_LEN];
	uint8_t bytes[KEY_LEN];
};

struct key_list {
	struct key keys[KEYS_MAX];
	size_t n;
};

struct keyring {
	const char *path;
	pthread_rwlock_t lock; /* guards list and seen */
	struct key_list list;
	struct stat seen;	    /* the file as it was read */
	_Atomic int64_t checked_ms; /* when its change was last looked for */
};

/* Fills `list` from the text of a key file. ERR_INVALID_ARGUMENT, with the line in `fault`, and the
 * list untouched. */
err_t key_list_parse(struct key_list *list, const char *text, struct fault *fault) MUST_CHECK;

/* Reads the file; `path` is kept. Errors are logged. */
err_t keyring_init(struct keyring *keyring, const char *path) MUST_CHECK;
void keyring_finish(struct keyring *keyring);

/* The key that seals now. */
void keyring_first(struct keyring *keyring, struct key *key);

/* The key of an id; false if there is none. */
bool keyring_find(struct keyring *keyring, const uint8_t id[KEY_ID_LEN], struct key *key);
