/*
 * credentials: the Authorization header of a handshake, turned into a checked struct. Pure.
 */
#pragma once

#include "lib/token.h"
#include "lib/uuid.h"

#include <stdbool.h>
#include <stddef.h>

#define CREDENTIALS_SECRET_MAX 128

enum credentials_kind {
	CREDENTIALS_NONE,   /* no header */
	CREDENTIALS_BAD,    /* a scheme that is not known, or malformed */
	CREDENTIALS_BEARER, /* token */
	CREDENTIALS_BASIC,  /* device and secret */
};

struct credentials {
	enum credentials_kind kind;
	const char *token; /* into the header */
	size_t token_len;
	char device[UUID_SIZE]; /* lower case */
	char secret[CREDENTIALS_SECRET_MAX + 1];
};

/* Reads the header's value, "" if there was none. */
void credentials_parse(const char *header, struct credentials *credentials);

/* Copies the UUID that begins the text, in lower case; false if none does. */
bool credentials_uuid(const char *text, char out[UUID_SIZE]);
