/*
 * authenticator: is the token that a client showed good, and whose is it? The loop's thread; what
 * has to ask others does so elsewhere.
 */
#pragma once

#include "lib/uuid.h"

#include <stdint.h>

struct client;

/* Whose token it is. */
struct verdict {
	const char *error; /* the AuthenticationError of a refusal; NULL: the token is good */
	char tenant[UUID_SIZE];
	char subject[64];
	char token_id[72];
	char user[128]; /* for people */
	int64_t issued_at;
};

/* Begins to ask; pairing_authenticated is called with the verdict, from here or later. */
void authenticator_ask(struct client *client, const char *token);

/* What a client is told, as is the refusal of a token: pairing.c. */
void pairing_authenticated(struct client *client, const struct verdict *verdict);

/* The name of a token that means nothing here: a digest, so that none is kept. */
void authenticator_digest(const char *token, char token_id[72]);
