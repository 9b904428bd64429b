/* doors: see doors.h. Each is a server of its own with a copy of the front door's struct api. */
#include "gateway/doors.h"

#include "lib/log.h"

#include <stdio.h>
#include <string.h>

#define WORKERS	 4
#define ITEM_MAX 320

static struct {
	struct {
		struct api api;
		char listen[ITEM_MAX];
		struct http *http;
	} door[DOORS_MAX];
	size_t n;
} doors;

/* Where packages can be read on their way, somebody must want it so. */
static void warn_of_old_tls(const char *listen)
{
	log_warn("old_tls",
		"listen=%s"
		" risk=\"TLS 1.0 and 1.1 are broken: passwords and packages may be read on the "
		"way\""
		" action=\"close this port when the last device has newer firmware\"",
		log_value(listen));
}

static err_t open_door(
	const char *item, size_t len, enum door_kind kind, const struct http_options *front)
{
	struct http_options options = *front;
	struct api *api = &doors.door[doors.n].api;
	char *listen = doors.door[doors.n].listen, *host;
	err_t err;

	*api = *(const struct api *)front->context;
	snprintf(listen, ITEM_MAX, "%.*s", (int)len, item);
	if ((host = strchr(listen, '=')) != NULL)
		*host++ = '\0';
	api->portal_host = host;
	api->plain = kind == DOOR_PLAIN;
	api->portal_only = kind == DOOR_PLAIN || kind == DOOR_OLD_TLS;
	options.old_tls = kind == DOOR_OLD_TLS;
	options.ask_certificate = kind == DOOR_CERTIFICATE;
	options.listen = listen;
	options.workers = WORKERS;
	options.context = api;
	if (kind == DOOR_PLAIN)
		options.certificate_file = options.key_file = NULL;
	if ((err = http_open(&doors.door[doors.n].http, &options)) != OK)
		return err;
	doors.n++;
	if (kind == DOOR_OLD_TLS)
		warn_of_old_tls(listen);
	return OK;
}

err_t doors_open(const char *list, enum door_kind kind, const struct http_options *options)
{
	err_t err = OK;

	while (err == OK && *list != '\0') {
		size_t len = strcspn(list, ",");

		if (doors.n == DOORS_MAX || len >= ITEM_MAX) {
			log_error("doors",
				"list=%s error=\"expected at most %d of ADDRESS:PORT[=HOST]\"",
				log_value(list), DOORS_MAX);
			return ERR_INVALID_ARGUMENT;
		}
		err = open_door(list, len, kind, options);
		list += len + (list[len] == ',');
	}
	return err;
}

void doors_retire(void)
{
	for (size_t i = 0; i < doors.n; i++)
		http_retire(doors.door[i].http);
}

bool doors_close(int64_t drain_ms)
{
	bool drained = true;

	for (size_t i = 0; i < doors.n; i++)
		drained = http_close(doors.door[i].http, drain_ms) && drained;
	doors.n = 0;
	return drained;
}
