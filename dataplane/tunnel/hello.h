/*
 * hello: the first flight of a TLS client, read and not taken: which host name it asks for (SNI,
 * RFC 6066). It may come in any number of segments and records. Over memory only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HELLO_MAX      (16 * 1024) /* bytes with the heads of records */
#define HELLO_NAME_MAX 254	   /* with its NUL */

enum hello_result {
	HELLO_MORE,	/* it is not whole yet */
	HELLO_NAME,	/* `name` is filled: in lower case, without a last dot */
	HELLO_NO_NAME,	/* it asks for none */
	HELLO_HTTP,	/* a request of HTTP without TLS */
	HELLO_GARBAGE,	/* no ClientHello */
	HELLO_TOO_LONG, /* it goes on after HELLO_MAX bytes */
};

/* Reads the `len` bytes that came so far. */
enum hello_result hello_read(const uint8_t *data, size_t len, char name[HELLO_NAME_MAX]);

/* Copies a host name of `len` bytes in lower case and without a last dot. False: it is none, or an
 * address. */
bool hello_host(const char *text, size_t len, char out[HELLO_NAME_MAX]);
