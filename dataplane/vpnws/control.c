/*
 * control: replies are HTTP/1.0 without a length, ended by the end of the connection.
 */
#include "dataplane/vpnws/control.h"

#include "lib/mem.h"

#include <jansson.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#define MAC_TEXT  18
#define TIME_TEXT 26

#define HEAD(status)                                                                               \
	"HTTP/1.0 " status " OK\r\n"                                                               \
	"Connection: close\r\n"                                                                    \
	"Cache-Control: no-cache, no-store, must-revalidate\r\n"                                   \
	"Pragma: no-cache\r\n"                                                                     \
	"Expires: 0\r\n"                                                                           \
	"Content-Type: application/json\r\n\r\n"

/* ---- the request ---- */

static uint32_t read_id(const char *text, size_t len)
{
	uint64_t id = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		id = id * 10 + (uint64_t)(text[i] - '0');
		if (id > UINT32_MAX)
			return 0;
	}
	return (uint32_t)id;
}

bool control_is_kill(const char *query, uint32_t *id)
{
	static const char name[] = "kill=";

	while (*query != '\0') {
		size_t len = strcspn(query, "&");

		if (len >= sizeof(name) && strncmp(query, name, sizeof(name) - 1) == 0) {
			*id = read_id(query + sizeof(name) - 1, len - (sizeof(name) - 1));
			return true;
		}
		query += len;
		query += strspn(query, "&");
	}
	return false;
}

/* ---- the replies ---- */

static json_t *mac_json(uint64_t mac)
{
	char text[MAC_TEXT];

	snprintf(text, sizeof(text), "%02X:%02X:%02X:%02X:%02X:%02X", (unsigned)(mac >> 40 & 0xff),
		(unsigned)(mac >> 32 & 0xff), (unsigned)(mac >> 24 & 0xff),
		(unsigned)(mac >> 16 & 0xff), (unsigned)(mac >> 8 & 0xff), (unsigned)(mac & 0xff));
	return json_string(text);
}

/* A proxy may hand on a user's name in any encoding; what is no UTF-8 is read as Latin-1. */
static json_t *text_json(const char *text)
{
	json_t *json = json_string(text);
	AUTO_FREE char *utf8 = NULL;
	char *end;

	if (json)
		return json;
	end = utf8 = xmalloc(2 * strlen(text) + 1);
	for (const uint8_t *byte = (const uint8_t *)text; *byte != '\0'; byte++) {
		if (*byte >= 0x80)
			*end++ = (char)(0xc0 | *byte >> 6);
		*end++ = (char)(*byte >= 0x80 ? 0x80 | (*byte & 0x3f) : *byte);
	}
	*end = '\0';
	return json_string(utf8);
}

/* As ctime has it, in local time, without its line feed. */
static json_t *time_json(int64_t time_s)
{
	char text[TIME_TEXT];
	time_t time = (time_t)time_s;

	return ctime_r(&time, text) ? json_stringn(text, strcspn(text, "\n")) : json_string("");
}

static json_t *peer_json(const struct control_peer *peer)
{
	json_t *macs = json_array();

	for (size_t i = 0; i < peer->n_macs; i++)
		json_array_append_new(macs, mac_json(peer->macs[i]));
	return json_pack("{sI so so so so so si so sI sI sI}", "id", (json_int_t)peer->id, "MAC",
		mac_json(peer->mac), "REMOTE_ADDR", text_json(peer->address), "REMOTE_USER",
		text_json(peer->user), "DN", text_json(peer->dn), "ts", time_json(peer->since_s),
		"bridge", peer->bridge ? 1 : 0, "macs", macs, "unix", (json_int_t)peer->since_s,
		"tx", (json_int_t)peer->tx, "rx", (json_int_t)peer->rx);
}

char *control_list(const struct control_peer *peers, size_t n)
{
	json_t *items = json_array();
	json_t *document = json_pack("{ss so}", "status", "ok", "peers", items);
	char *body, *reply;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(items, peer_json(&peers[i]));
	body = json_dumps(document, JSON_COMPACT);
	json_decref(document);
	if (!body)
		BUG("a status page can't be written");
	reply = xasprintf("%s%s", HEAD("200"), body);
	free(body);
	return reply;
}

const char *control_killed(bool found)
{
	return found ? HEAD("200") "{\"status\":\"ok\"}" : HEAD("404") "{\"status\":\"not found\"}";
}
