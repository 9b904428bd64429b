/*
 * state: the device's state folder: device.json (who this device is, with its secret) and
 * enrolment.json (an enrolment whose reply is still missing). The folder is 0700, the files 0600
 * and always whole: written aside, synced, renamed.
 */
#pragma once

#include "agents/reply.h"

#include "lib/err.h"

#include <jansson.h>

#define STATE_CA_MAX (256 * 1024) /* bytes of the certificates to trust */

struct device {
	char url[URL_MAX]; /* of the portal, without a slash at its end */
	char tenant[REPLY_ID_SIZE];
	char id[REPLY_ID_SIZE];
	char name[REPLY_NAME_SIZE];
	char secret[REPLY_SECRET_SIZE];
	char *ca_pem; /* certificates to trust beside the system's; may be NULL */
};

/* Reads DIR/device.json. ERR_NOT_FOUND: this device is not enrolled. device_finish it on OK. */
err_t state_load(const char *dir, struct device *device, struct fault *fault) MUST_CHECK;
void device_finish(struct device *device);

/* Makes the folder with those above it, for root only. */
err_t state_make_folder(const char *dir, struct fault *fault) MUST_CHECK;

/* Locks DIR/lock until `*lock` is closed, so that one process at a time works there.
 * ERR_ALREADY_EXISTS: another does; the caller says which. */
err_t state_lock(const char *dir, int *lock, struct fault *fault) MUST_CHECK;

/* A file of the folder, or of one below it, that is a JSON object. Writing makes the folder if
 * needed; the file is replaced all or nothing, mode 0600. Reading: ERR_NOT_FOUND if there is none.
 */
err_t state_write_json(
	const char *dir, const char *name, const json_t *object, struct fault *fault) MUST_CHECK;
err_t state_read_json(
	const char *dir, const char *name, json_t **object, struct fault *fault) MUST_CHECK;

/* Replaces DIR/NAME by `text`, all or nothing, mode 0600. */
err_t state_write_file(
	const char *dir, const char *name, const char *text, struct fault *fault) MUST_CHECK;

/* Makes the folder if needed, and writes DIR/device.json. */
err_t state_save(const char *dir, const struct device *device, struct fault *fault) MUST_CHECK;

/*
 * The idempotency key for enrolling at `url` as `name` with `enrolment_key`: the same until
 * state_enrolled, so that trying again after a lost reply uses the key up once only.
 */
err_t state_enrolling(const char *dir, const char *url, const char *name, const char *enrolment_key,
	char idempotency_key[REPLY_ID_SIZE], struct fault *fault) MUST_CHECK;
void state_enrolled(const char *dir);

/* Reads a whole file of at most `max` bytes into a malloc'ed text. */
err_t state_read_file(const char *path, size_t max, char **text, struct fault *fault) MUST_CHECK;
