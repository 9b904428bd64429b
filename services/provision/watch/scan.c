/* scan: see scan.h. Addresses are told apart by a keyed hash; two that share a slot count as one,
 * so it may count too few and never too many. */
#include "services/provision/watch/scan.h"

#include <sodium.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define SLOTS	  4096
#define WINDOW_MS ((int64_t)10 * 60 * 1000)

static struct {
	pthread_mutex_t mutex; /* guards what follows */
	bool keyed;
	unsigned char key[crypto_shorthash_KEYBYTES];
	int64_t since_ms; /* when the window began */
	bool used[SLOTS];
	unsigned addresses; /* used slots */
	bool told;	    /* of this window */
	char serial[SCAN_SERIAL_SIZE];
} scan = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static unsigned slot_of(const char *source)
{
	union {
		unsigned char bytes[crypto_shorthash_BYTES];
		uint64_t number;
	} hash;

	if (!scan.keyed)
		crypto_shorthash_keygen(scan.key);
	scan.keyed = true;
	crypto_shorthash(hash.bytes, (const unsigned char *)source, strlen(source), scan.key);
	return (unsigned)(hash.number % SLOTS);
}

static void begin(int64_t now_ms)
{
	memset(scan.used, 0, sizeof(scan.used));
	scan.addresses = 0;
	scan.told = false;
	scan.since_ms = now_ms;
}

void scan_note(const char *source, const char *serial, int64_t now_ms)
{
	unsigned slot;

	pthread_mutex_lock(&scan.mutex);
	if (now_ms - scan.since_ms > WINDOW_MS)
		begin(now_ms);
	slot = slot_of(source);
	scan.addresses += scan.used[slot] ? 0 : 1;
	scan.used[slot] = true;
	snprintf(scan.serial, sizeof(scan.serial), "%s", serial);
	pthread_mutex_unlock(&scan.mutex);
}

bool scan_take(unsigned *addresses, char serial[SCAN_SERIAL_SIZE])
{
	bool alarm;

	pthread_mutex_lock(&scan.mutex);
	alarm = scan.addresses >= SCAN_ADDRESSES && !scan.told;
	scan.told = scan.told || alarm;
	*addresses = scan.addresses;
	memcpy(serial, scan.serial, SCAN_SERIAL_SIZE);
	pthread_mutex_unlock(&scan.mutex);
	return alarm;
}
