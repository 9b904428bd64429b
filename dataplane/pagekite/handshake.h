/*
 * handshake: what a client of PageKite begins with: the names that it wants to fly, each with a
 * signature. Over memory only.
 *
 *     CONNECT PageKite:1 HTTP/1.0
 *     X-PageKite: PROTOCOL:NAME:SALT:CHALLENGE:SIGNATURE
 *     (other lines)
 *     (an empty line)
 *
 * Before that it asks whether a front end is there at all, with HEAD /ping.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HANDSHAKE_MAX	    8192 /* bytes */
#define HANDSHAKE_KITES_MAX 8

struct handshake_kite {
	char protocol[8]; /* "http" or "https"; all in lower case but for what is signed */
	char name[254];
	char salt[65], challenge[65], signature[65]; /* challenge "": it has none yet */
};

struct handshake {
	struct handshake_kite kites[HANDSHAKE_KITES_MAX];
	size_t n;
};

enum handshake_result {
	HANDSHAKE_MORE,
	HANDSHAKE_WHOLE, /* `handshake` is filled */
	HANDSHAKE_PING,	 /* it only asks */
	HANDSHAKE_OTHER, /* it is something else */
	HANDSHAKE_WRONG, /* no kite, too many, or one that is malformed */
};

/* Is it one, as far as it came? */
bool handshake_begins(const uint8_t *data, size_t len);

/* Reads the `len` bytes that came so far; when it is whole, `*taken` of them are its. Kites of
 * other protocols are passed over. */
enum handshake_result handshake_read(
	struct handshake *handshake, const uint8_t *data, size_t len, size_t *taken);
