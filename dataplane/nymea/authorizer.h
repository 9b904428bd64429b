/*
 * authorizer: tokens that someone else judges: a tenant's own service over HTTP, or an AWS Lambda
 * function as the original asks it. One thread does all requests at the same time (libcurl, which
 * no other file of the node sees); the verdicts are told on the loop.
 *
 * "http" POSTs {"token","nonce","uuid","name"} and expects 200 with {"allowed": bool, "name": text,
 * "tenant": UUID}, the last two optional; 401 and 403 are a no.
 */
#pragma once

struct authorizer;
struct client;
struct nymea;

/* NULL if the settings call for none. */
struct authorizer *authorizer_start(struct nymea *nymea);
void authorizer_stop(struct authorizer *authorizer); /* after the loop has ended; NULL is fine */

/* Asks about the token of the client; pairing_authenticated is called from here, if the answer is
 * still remembered, or later. */
void authorizer_ask(struct authorizer *authorizer, struct client *client, const char *token);
