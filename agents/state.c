/* state: see state.h. */
#include "agents/state.h"

#include "agents/document.h"

#include "lib/mem.h"
#include "lib/uuid.h"

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEVICE_FILE    "device.json"
#define ENROLMENT_FILE "enrolment.json"
#define FILE_MAX       (2 * STATE_CA_MAX)

static void close_at(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define AUTO_FD __attribute__((cleanup(close_at))) int

/* ---- files ---- */

static err_t fail(struct fault *fault, const char *what, const char *path)
{
	err_t err = errno == ENOENT ? ERR_NOT_FOUND : ERR_INTERNAL;

	return fault_set(fault, err, "", "can't %s %s: %m", what, path);
}

err_t state_read_file(const char *path, size_t max, char **text, struct fault *fault)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO_FREE char *buf = NULL;
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return fail(fault, "open", path);
	buf = xmalloc(max + 2);
	while ((n = read(fd, buf + len, max + 1 - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		return fail(fault, "read", path);
	if (len > max)
		return fault_set(fault, ERR_OUT_OF_RANGE, "", "%s is over %zu bytes", path, max);
	buf[len] = '\0';
	*text = buf;
	buf = NULL;
	return OK;
}

static bool write_all(int fd, const char *text, size_t len)
{
	for (ssize_t n; len > 0; text += n, len -= (size_t)n)
		if ((n = write(fd, text, len)) < 0)
			return false;
	return fsync(fd) == 0;
}

err_t state_write_file(const char *dir, const char *name, const char *text, struct fault *fault)
{
	AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
	AUTO_FREE char *aside = xasprintf("%s/%s.new", dir, name);
	AUTO_FD folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_FD fd = -1;

	if (folder < 0)
		return fail(fault, "open", dir);
	if (unlink(aside) < 0 && errno != ENOENT)
		return fail(fault, "replace", aside);
	fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || !write_all(fd, text, strlen(text)))
		return fail(fault, "write", aside);
	if (rename(aside, path) < 0 || fsync(folder) < 0)
		return fail(fault, "write", path);
	return OK;
}

/* Makes the folder with those above it. */
err_t state_make_folder(const char *dir, struct fault *fault)
{
	AUTO_FREE char *path = xstrdup(dir);

	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return fail(fault, "make the folder", path);
		*slash = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return fail(fault, "make the folder", path);
	return OK;
}

err_t state_lock(const char *dir, int *lock, struct fault *fault)
{
	AUTO_FREE char *path = xasprintf("%s/lock", dir);

	*lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*lock < 0)
		return fault_set(fault, ERR_INTERNAL, "", "can't open %.180s: %m", path);
	return flock(*lock, LOCK_EX | LOCK_NB) < 0 ? ERR_ALREADY_EXISTS : OK;
}

err_t state_write_json(const char *dir, const char *name, const json_t *object, struct fault *fault)
{
	AUTO_FREE char *text = json_dumps(object, JSON_INDENT(2));
	err_t err;

	if (text == NULL)
		BUG("%s can't be written as JSON", name);
	err = state_make_folder(dir, fault);
	return err != OK ? err : state_write_file(dir, name, text, fault);
}

err_t state_read_json(const char *dir, const char *name, json_t **object, struct fault *fault)
{
	AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
	AUTO_FREE char *text = NULL;
	err_t err = state_read_file(path, FILE_MAX, &text, fault);

	if (err != OK)
		return err;
	if ((*object = document_read(text, strlen(text))) == NULL)
		return fault_set(
			fault, ERR_DATA_LOSS, "", "%s is damaged: it is no JSON object", path);
	return OK;
}

/* ---- device.json ---- */

static bool take(const json_t *object, const char *member, char *out, size_t size)
{
	return document_text(object, member, NULL, 1, out, size);
}

err_t state_load(const char *dir, struct device *device, struct fault *fault)
{
	AUTO_DOCUMENT object = NULL;
	const char *ca;
	err_t err = state_read_json(dir, DEVICE_FILE, &object, fault);

	if (err == ERR_NOT_FOUND)
		return fault_set(fault, err, "",
			"this device is not enrolled (no %s/" DEVICE_FILE
			"): lanyard enroll does it",
			dir);
	if (err != OK)
		return err;
	if (!take(object, "url", device->url, sizeof(device->url)) ||
		!take(object, "tenant", device->tenant, sizeof(device->tenant)) ||
		!take(object, "device", device->id, sizeof(device->id)) ||
		!take(object, "name", device->name, sizeof(device->name)) ||
		!take(object, "secret", device->secret, sizeof(device->secret)))
		return fault_set(fault, ERR_DATA_LOSS, "",
			"%s/" DEVICE_FILE " is damaged: remove it and enroll again", dir);
	ca = json_string_value(json_object_get(object, "ca"));
	device->ca_pem = ca != NULL ? xstrdup(ca) : NULL;
	return OK;
}

void device_finish(struct device *device)
{
	sodium_memzero(device->secret, sizeof(device->secret));
	free(device->ca_pem);
	device->ca_pem = NULL;
}

err_t state_save(const char *dir, const struct device *device, struct fault *fault)
{
	AUTO_DOCUMENT object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*}", "url", device->url,
		"tenant", device->tenant, "device", device->id, "name", device->name, "secret",
		device->secret, "ca", device->ca_pem);

	if (object == NULL)
		return fault_set(
			fault, ERR_INVALID_ARGUMENT, "ca", "the certificate file is no text");
	return state_write_json(dir, DEVICE_FILE, object, fault);
}

/* ---- enrolment.json ---- */

/* Tells two enrolments apart without keeping the secret key. */
static void digest(const char *url, const char *name, const char *enrolment_key, char hex[65])
{
	AUTO_FREE char *all = xasprintf("%s\n%s\n%s", url, name, enrolment_key);
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, (const unsigned char *)all, strlen(all));
	sodium_bin2hex(hex, 65, hash, sizeof(hash));
	sodium_memzero(all, strlen(all));
}

err_t state_enrolling(const char *dir, const char *url, const char *name, const char *enrolment_key,
	char idempotency_key[REPLY_ID_SIZE], struct fault *fault)
{
	AUTO_DOCUMENT kept = NULL;
	AUTO_DOCUMENT fresh = NULL;
	char want[65], have[65];

	digest(url, name, enrolment_key, want);
	if (state_read_json(dir, ENROLMENT_FILE, &kept, NULL) == OK &&
		take(kept, "request", have, sizeof(have)) && strcmp(have, want) == 0 &&
		take(kept, "idempotency_key", idempotency_key, REPLY_ID_SIZE))
		return OK;
	uuid_new(idempotency_key);
	fresh = json_pack("{s:s, s:s}", "request", want, "idempotency_key", idempotency_key);
	return state_write_json(dir, ENROLMENT_FILE, fresh, fault);
}

void state_enrolled(const char *dir)
{
	AUTO_FREE char *path = xasprintf("%s/" ENROLMENT_FILE, dir);

	unlink(path); /* if it stays, the next enrolment finds another request in it */
}
