/*
 * place: the folder of a name in the device's state folder, names/LABEL: the lock of the process
 * that serves it, registration.json with its token (0600), and links to its certificate and key.
 */
#pragma once

#include "agents/expose/registry.h"

#include "lib/err.h"

#include <stdbool.h>

#define PLACE_CERTIFICATE "fullchain.pem"
#define PLACE_KEY	  "key.pem"

struct place {
	char *dir;
	int lock;
};

/* Makes the folder of `label` in `zone` (NULL: the usual one) and locks it. ERR_ALREADY_EXISTS:
 * another process serves this name. */
err_t place_open(struct place *place, const char *state, const char *label, const char *zone,
	struct fault *fault) MUST_CHECK;
void place_close(struct place *place); /* also one that is all zero */

/* The registration that is kept. ERR_NOT_FOUND: there is none. */
err_t place_load(const struct place *place, struct registration *registration,
	struct fault *fault) MUST_CHECK;
err_t place_save(const struct place *place, const struct registration *registration,
	struct fault *fault) MUST_CHECK;

/* Makes DIR/`name` a link to `target`, all or nothing. */
err_t place_link(const struct place *place, const char *name, const char *target,
	struct fault *fault) MUST_CHECK;

/* Where the name's key is: in a token, by its URI `pkcs11`, or, if that is NULL, behind the link in
 * the folder. Malloc'ed. */
char *place_key(const struct place *place, const char *pkcs11);

/* Removes such a link. */
void place_unlink(const struct place *place, const char *name);
