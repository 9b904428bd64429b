/* bootstrap: see bootstrap.h. */
#include "services/auth/bootstrap.h"

#include "lib/log.h"
#include "lib/mem.h"
#include "services/auth/api_key.h"
#include "services/auth/password.h"
#include "services/auth/store.h"

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FIRST_LINE "LANYARD_ADMIN_USER=admin\n"

struct bootstrap {
	const char *path;
	bool wrote; /* a file of this attempt is there */
};

/* The file of a start that was killed before its commit: its secrets never came to life. */
static bool is_left_over(const char *path)
{
	char line[sizeof(FIRST_LINE)] = "";
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return false;
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	fclose(file);
	return strcmp(line, FIRST_LINE) == 0;
}

static int create_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EEXIST && is_left_over(path) && unlink(path) == 0)
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd;
}

/* Makes the name of the file as durable as its bytes. */
static bool sync_folder(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *folder = slash ? arena_strndup(arena, path, (size_t)(slash - path) + 1) : ".";
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return done;
}

static err_t write_file(struct call *call, struct bootstrap *bootstrap, const char *text)
{
	size_t len = strlen(text);
	int fd = create_file(bootstrap->path);
	bool done;

	if (fd >= 0) {
		bootstrap->wrote = true;
		done = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
		if (close(fd) == 0 && done && sync_folder(call->arena, bootstrap->path))
			return OK;
	}
	return call_refuse(call, ERR_FAILED_PRECONDITION, "LANYARD_BOOTSTRAP_FILE",
		"%s can't be written: %s", bootstrap->path, strerror(errno));
}

static err_t create_admin(struct call *call, char *password, Auth__ApiKey *key)
{
	Auth__Tenant tenant = AUTH__TENANT__INIT;
	Auth__User user = AUTH__USER__INIT;
	Auth__CreateApiKeyRequest key_request = AUTH__CREATE_API_KEY_REQUEST__INIT;
	char hash[PASSWORD_HASH_LEN];
	err_t err;

	key_request.name = "bootstrap";
	key_request.role = "owner";
	if ((err = store_tenant_create(call, FLEET_TENANT, "fleet", &tenant)) != OK ||
		(err = password_hash(call, password, hash)) != OK ||
		(err = store_user_create(call, "admin", "owner", hash, &user)) != OK)
		return err;
	return api_key_create(call, &key_request, key);
}

static err_t work(struct call *call, void *arg)
{
	struct bootstrap *bootstrap = arg;
	Auth__Tenant tenant = AUTH__TENANT__INIT;
	Auth__ApiKey key = AUTH__API_KEY__INIT;
	unsigned char random[24];
	char password[sodium_base64_ENCODED_LEN(
		sizeof(random), sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
	err_t err;

	if ((err = store_bootstrap_lock(call)) != OK)
		return err;
	err = store_tenant_get(call, FLEET_TENANT, &tenant);
	if (err != ERR_NOT_FOUND)
		return err;
	randombytes_buf(random, sizeof(random));
	sodium_bin2base64(password, sizeof(password), random, sizeof(random),
		sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	if ((err = create_admin(call, password, &key)) != OK)
		return err;
	return write_file(call, bootstrap,
		arena_printf(call->arena,
			FIRST_LINE "LANYARD_ADMIN_TENANT=fleet\n"
				   "LANYARD_ADMIN_PASSWORD=%s\nLANYARD_ADMIN_API_KEY=%s\n",
			password, key.secret));
}

err_t bootstrap_run(struct db *db, struct call *call, const char *path)
{
	struct bootstrap bootstrap = { path, false };
	err_t err;

	if (*path == '\0')
		return OK;
	call->tenant = FLEET_TENANT;
	err = db_transaction(db, call, work, &bootstrap);
	if (err == OK && bootstrap.wrote)
		log_info("first_operator_created", "user=admin tenant=fleet file=%s",
			log_value(path));
	/* UNAVAILABLE: it may have been committed after all; a left-over file does no harm. */
	if (err != OK && err != ERR_UNAVAILABLE && bootstrap.wrote)
		unlink(path);
	return err;
}
