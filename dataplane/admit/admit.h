/*
 * admit: who may connect, and as what. The loop's thread.
 *
 * An access token is verified at once, offline. A device's own credentials (HTTP Basic) have to be
 * shown to auth and provision, which takes a while: until they have answered, the request waits.
 */
#pragma once

#include "dataplane/net/http.h"
#include "dataplane/relay/guest.h"
#include "lib/token.h"

#define ADMIT_NETWORK_MAX   64
#define ADMIT_AUTHORIZATION (TOKEN_MAX + 64)

/* What a client asks for. */
struct admit_request {
	const struct virtual_host *host;	 /* by which it comes */
	bool is_pair;				 /* else it is for a network */
	char authorization[ADMIT_AUTHORIZATION]; /* "" if there is none */
	char nonce[GUEST_NONCE_MAX + 1];	 /* ?nonce= */
	char network[ADMIT_NETWORK_MAX + 1];	 /* ?network= */
};

struct dataplane;
struct virtual_host;

/* Who shows a token that is good. */
struct admitted {
	const struct token_claims *claims;
	const char *token;
	const struct virtual_host *host; /* by which it comes */
};

/* Makes the request's connection a session of the member, or refuses it. */
void admit_session(struct dataplane *dataplane, struct http *http, const struct admitted *admitted);

/* For http_create; the context is the struct dataplane. */
extern const struct http_face admit_face;
