/*
 * place: the folder of the OpenVPN server in the state folder: its key, which never leaves it, its
 * certificate, and what the configuration names. 0700, the files 0600.
 */
#pragma once

#include "agents/openvpn/authority.h"

#include "lib/err.h"

#include <stdbool.h>

struct vpn_place {
	char *dir;
};

/* Makes STATE/openvpn. */
err_t vpn_place_open(struct vpn_place *place, const char *state, struct fault *fault) MUST_CHECK;
void vpn_place_close(struct vpn_place *place); /* also one that is all zero */

/* There is a certificate that is good for a while yet. */
bool vpn_place_is_good(const struct vpn_place *place);

/* A signing request for the key; a new key that is kept, if there is none. */
err_t vpn_place_request(const struct vpn_place *place, char **csr, struct fault *fault) MUST_CHECK;

/* Forgets the certificate. */
err_t vpn_place_forget(const struct vpn_place *place, struct fault *fault) MUST_CHECK;

/* Did the start bring a certificate, or is the one that is kept for this server and its host? */
bool vpn_place_fits(const struct vpn_place *place, const struct vpn_start *start);

/* Writes what a start gave, and the configuration with it. `interface` is the server's. */
err_t vpn_place_write(const struct vpn_place *place, const struct vpn_start *start,
	const char *interface, struct fault *fault) MUST_CHECK;
