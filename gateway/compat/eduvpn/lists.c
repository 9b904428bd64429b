/*
 * lists: the signed lists of sites that operators of the fleet put into a folder, as they are, with
 * what lets an app ask only whether there is a newer one. In workers.
 */
#include "gateway/compat/eduvpn/eduvpn.h"

#include "lib/log.h"
#include "lib/mem.h"

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LIST_MAX     (4 * 1024 * 1024)
#define NAME_LEN_MAX 64
#define TIME	     "%a, %d %b %Y %H:%M:%S GMT"

struct list {
	char *text;
	size_t len;
	time_t changed;
};

/* Plain names with one of the three endings; so no path leads out of the folder. */
static const char *type_of(const char *name)
{
	static const struct {
		const char *ending, *type;
	} types[] = { { ".json", "application/json" }, { ".json.sig", "text/plain" },
		{ ".json.minisig", "text/plain" } };
	size_t len = strlen(name);

	if (len > NAME_LEN_MAX || name[0] == '.' ||
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-.") != len)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		size_t ending = strlen(types[i].ending);

		if (len > ending && strcmp(name + len - ending, types[i].ending) == 0)
			return types[i].type;
	}
	return NULL;
}

static bool read_all(int fd, char *text, size_t len)
{
	for (ssize_t n; len > 0; text += n, len -= (size_t)n)
		if ((n = read(fd, text, len)) <= 0)
			return false;
	return true;
}

/* NOT_FOUND: there is no such file. A file that is replaced meanwhile is read as it was. */
static err_t read_list(struct call *call, const char *path, struct list *list)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat status;
	err_t err = ERR_NOT_FOUND;

	if (fd < 0)
		return call_refuse(call, err, "", "there is nothing at this path");
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= LIST_MAX) {
		list->len = (size_t)status.st_size;
		list->text = arena_alloc(call->arena, list->len + 1);
		list->changed = status.st_mtime;
		err = read_all(fd, list->text, list->len) ? OK : ERR_UNAVAILABLE;
	}
	close(fd);
	if (err == OK)
		return OK;
	log_error("list", "path=%s error=\"expected a file of at most %d bytes\"", log_value(path),
		LIST_MAX);
	return call_refuse(call, err, "", "the list can't be read");
}

static const char *etag_of(struct arena *arena, const struct list *list)
{
	unsigned char digest[crypto_generichash_BYTES_MIN];
	char hex[2 * sizeof(digest) + 1];

	crypto_generichash(
		digest, sizeof(digest), (const unsigned char *)list->text, list->len, NULL, 0);
	return arena_printf(
		arena, "\"%s\"", sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest)));
}

/* If-None-Match counts alone if it is there (RFC 9110 section 13.2.2). */
static bool has_it(const struct headers *headers, const char *etag, time_t changed)
{
	struct tm since = { 0 };
	const char *end;

	if (headers->if_none_match != NULL)
		return strcmp(headers->if_none_match, "*") == 0 ||
		       strstr(headers->if_none_match, etag) != NULL;
	if (headers->if_modified_since == NULL)
		return false;
	end = strptime(headers->if_modified_since, TIME, &since);
	return end != NULL && *end == '\0' && changed <= timegm(&since);
}

static err_t on_list(struct api_request *request)
{
	const char *name = route_parameter(&request->match, "name");
	const char *type = *request->api->lists != '\0' ? type_of(name) : NULL;
	struct arena *arena = request->call->arena;
	char changed[32];
	struct list list;
	struct tm utc;
	const char *etag;
	err_t err;

	if (type == NULL)
		return call_refuse(
			request->call, ERR_NOT_FOUND, "", "there is nothing at this path");
	err = read_list(
		request->call, arena_printf(arena, "%s/%s", request->api->lists, name), &list);
	if (err != OK)
		return err;
	etag = etag_of(arena, &list);
	strftime(changed, sizeof(changed), TIME, gmtime_r(&list.changed, &utc));
	http_reply_add(request->reply, "Cache-Control", "no-cache");
	http_reply_add(request->reply, "ETag", etag);
	http_reply_add(request->reply, "Last-Modified", arena_strdup(arena, changed));
	request->reply->status = HTTP_NOT_MODIFIED;
	if (has_it(&request->http->headers, etag, list.changed))
		return OK;
	request->reply->status = HTTP_OK;
	request->reply->content_type = type;
	request->reply->body = list.text;
	request->reply->body_len = list.len;
	return OK;
}

const struct route eduvpn_list_routes[] = {
	{ .method = "GET", .path = "/disco/{name}", .handler = on_list },
	{ .method = NULL },
};
