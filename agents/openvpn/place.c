/* place: see place.h. */
#include "agents/openvpn/place.h"

#include "agents/openvpn/config.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/tls_certificate.h"
#include "lib/tls_request.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define FOLDER	     "openvpn"
#define PURPOSE_FILE "purpose" /* of the certificate: server and host */
#define PURPOSE_MAX  128
#define KEY_MAX	     4096
#define RENEW_LEFT_S (60 * 24 * 3600) /* 60 days */

static char *path_of(const struct vpn_place *place, const char *name)
{
	return xasprintf("%s/%s", place->dir, name);
}

err_t vpn_place_open(struct vpn_place *place, const char *state, struct fault *fault)
{
	place->dir = xasprintf("%s/" FOLDER, state);
	return state_make_folder(place->dir, fault);
}

void vpn_place_close(struct vpn_place *place)
{
	free(place->dir);
	place->dir = NULL;
}

/* ---- the certificate ---- */

bool vpn_place_is_good(const struct vpn_place *place)
{
	AUTO_FREE char *path = path_of(place, CONFIG_CERTIFICATE);
	struct tls_life life;

	return tls_certificate_life(path, &life, NULL) == OK &&
	       life.until_s - RENEW_LEFT_S > clock_unix_ms() / 1000;
}

/* The key that is kept, or a new one. */
static err_t take_key(const struct vpn_place *place, char **key, struct fault *fault)
{
	AUTO_FREE char *path = path_of(place, CONFIG_KEY);
	err_t err = state_read_file(path, KEY_MAX, key, fault);

	if (err != ERR_NOT_FOUND)
		return err;
	*key = tls_request_key();
	return state_write_file(place->dir, CONFIG_KEY, *key, fault);
}

err_t vpn_place_request(const struct vpn_place *place, char **csr, struct fault *fault)
{
	char *key = NULL;
	err_t err;

	err = take_key(place, &key, fault);
	if (err == OK)
		err = tls_request_sign(key, csr, fault);
	if (key != NULL)
		explicit_bzero(key, strlen(key));
	free(key);
	return err;
}

/* Whom the certificate is for. */
static char *purpose_of(const struct vpn_start *start)
{
	return xasprintf("%s %s\n", start->server, start->host);
}

bool vpn_place_fits(const struct vpn_place *place, const struct vpn_start *start)
{
	AUTO_FREE char *path = path_of(place, PURPOSE_FILE);
	AUTO_FREE char *purpose = purpose_of(start);
	AUTO_FREE char *kept = NULL;

	return *start->certificate != '\0' ||
	       (state_read_file(path, PURPOSE_MAX, &kept, NULL) == OK &&
		       strcmp(kept, purpose) == 0);
}

err_t vpn_place_forget(const struct vpn_place *place, struct fault *fault)
{
	AUTO_FREE char *path = path_of(place, CONFIG_CERTIFICATE);

	if (unlink(path) == 0 || errno == ENOENT)
		return OK;
	return fault_set(fault, ERR_INTERNAL, "state", "can't remove %.150s: %m", path);
}

/* ---- what a start gave ---- */

err_t vpn_place_write(const struct vpn_place *place, const struct vpn_start *start,
	const char *interface, struct fault *fault)
{
	AUTO_FREE char *config = config_text(start, interface);
	AUTO_FREE char *purpose = purpose_of(start);
	const struct {
		const char *name, *text;
	} files[] = {
		{ CONFIG_CERTIFICATE, start->certificate },
		{ CONFIG_TRUST, start->trust },
		{ CONFIG_TA_KEY, start->ta_key },
		{ CONFIG_TLS_CRYPT, start->tls_crypt },
		{ CONFIG_FILE, config },
		{ PURPOSE_FILE, purpose },
	};
	err_t err = OK;

	for (size_t i = 0; err == OK && i < ARRAY_LEN(files); i++)
		if (*files[i].text != '\0')
			err = state_write_file(place->dir, files[i].name, files[i].text, fault);
	return err;
}
