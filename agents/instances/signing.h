/*
 * signing: Ed25519 signatures over files as VPN apps want them: detached in Base64 (.sig), or as
 * minisign has them (.minisig). Any thread.
 */
#pragma once

#include "lib/mem.h"

#include <sodium.h>

#include <stdbool.h>
#include <stddef.h>

#define SIGNING_ID_BYTES 8

struct signing_public {
	unsigned char key[crypto_sign_PUBLICKEYBYTES];
	unsigned char id[SIGNING_ID_BYTES]; /* of minisign */
	bool has_id;
};

struct signing_secret {
	unsigned char key[crypto_sign_SECRETKEYBYTES];
	unsigned char id[SIGNING_ID_BYTES];
};

void signing_create(struct signing_secret *secret);

/* The secret as the one line of its file, and back. */
char *signing_secret_write(struct arena *arena, const struct signing_secret *secret);
bool signing_secret_read(const char *text, struct signing_secret *secret);

/* The public key in Base64, and in minisign's form. Either is read. */
char *signing_public_plain(struct arena *arena, const struct signing_secret *secret);
char *signing_public_minisign(struct arena *arena, const struct signing_secret *secret);
bool signing_public_read(const char *text, struct signing_public *public);

/* The contents of FILE.sig, and of FILE.minisig (prehashed); `comment` is one line, and signed. */
char *signing_detached(
	struct arena *arena, const struct signing_secret *secret, const char *text, size_t len);
char *signing_minisign(struct arena *arena, const struct signing_secret *secret, const char *text,
	size_t len, const char *comment);

/* NULL if the signature is good, else why not. */
const char *signing_check_detached(
	const struct signing_public *public, const char *text, size_t len, const char *signature);
const char *signing_check_minisign(
	const struct signing_public *public, const char *text, size_t len, const char *signature);
