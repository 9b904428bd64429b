/* meet: see meet.h. */
#include "agents/pair/meet.h"

#include "agents/document.h"

#include "lib/mem.h"
#include "lib/uuid.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MS 30000 /* to what is asked first */

/* What was found out by a document. */
enum found { FOUND_NOTHING, FOUND_OTHER, FOUND_REFUSAL };

char *meet_request(int id, const char *method, json_t *params)
{
	json_t *request =
		json_pack("{s:i, s:s, s:o}", "id", id, "method", method, "params", params);
	char *text = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);
	char *line = xasprintf("%s\n", text);

	free(text);
	json_decref(request);
	return line;
}

static char *first_request(const struct meet *meet)
{
	AUTO_FREE char *braced = NULL;
	char uuid[UUID_SIZE];
	json_t *params;

	uuid_new(uuid);
	braced = xasprintf("{%s}", uuid);
	switch (meet->as) {
	case MEET_TUNNEL_SERVER:
		return meet_request(0, "TunnelProxy.RegisterServer",
			json_pack(
				"{s:s, s:s}", "serverName", meet->name, "serverUuid", meet->token));
	case MEET_TUNNEL_CLIENT:
		return meet_request(0, "TunnelProxy.RegisterClient",
			json_pack("{s:s, s:s, s:s}", "clientName", meet->name, "clientUuid", braced,
				"serverUuid", meet->token));
	case MEET_PAIR:
		break;
	}
	params = json_pack(
		"{s:s, s:s, s:s}", "name", meet->name, "token", meet->token, "uuid", braced);
	if (meet->nonce != NULL)
		json_object_set_new(params, "nonce", json_string(meet->nonce));
	return meet_request(0, "Authentication.Authenticate", params);
}

/* Waits for bytes of the server; for the other side without limit. */
static ssize_t receive(
	const struct meet *meet, struct wire *wire, const uint8_t **data, const char **why)
{
	ssize_t n;

	while ((n = wire_receive(wire, data, why)) == 0) {
		bool flushed = wire_flush(wire);
		struct pollfd pollfd = { .fd = wire_fd(wire),
			.events = (short)(POLLIN | (flushed ? 0 : POLLOUT)) };

		if (poll(&pollfd, 1, meet->answered ? -1 : ANSWER_MS) == 0) {
			*why = "the server does not answer";
			return -1;
		}
	}
	return n;
}

static enum found take_document(
	struct meet *meet, const char *text, size_t len, struct fault *fault)
{
	AUTO_DOCUMENT document = document_read(text, len);
	const json_t *params = json_object_get(document, "params");
	const char *error = json_string_value(json_object_get(
		params, meet->as == MEET_PAIR ? "authenticationError" : "tunnelProxyError"));
	const char *told = json_string_value(json_object_get(document, "error"));
	const char *name = json_string_value(json_object_get(params, "name"));

	meet->answered = true;
	if (told != NULL || (error != NULL && strstr(error, "ErrorNoError") == NULL)) {
		fault_set(fault, ERR_PERMISSION_DENIED, "", "the server refuses: %.200s",
			told != NULL ? told : error);
		return FOUND_REFUSAL;
	}
	if (meet->as != MEET_PAIR)
		return error != NULL ? FOUND_OTHER : FOUND_NOTHING;
	if (json_object_get(document, "notification") == NULL)
		return FOUND_NOTHING;
	snprintf(meet->partner, sizeof(meet->partner), "%s", name != NULL ? name : "?");
	return FOUND_OTHER;
}

/* Takes documents out of `text`; what follows the last one is left in it. */
static enum found take_documents(struct meet *meet, char *text, size_t *len, struct fault *fault)
{
	enum found found = FOUND_NOTHING;
	char *end;

	while (found == FOUND_NOTHING && (end = memmem(text, *len, "}\n", 2)) != NULL) {
		size_t used = (size_t)(end + 2 - text);

		found = take_document(meet, text, used, fault);
		memmove(text, text + used, *len - used);
		*len -= used;
	}
	return found;
}

err_t meet(struct meet *meet, struct wire *wire, struct fault *fault)
{
	AUTO_FREE char *request = first_request(meet);
	enum found found = FOUND_NOTHING;

	wire_send(wire, request, strlen(request));
	while (found == FOUND_NOTHING) {
		const uint8_t *data;
		const char *why;
		ssize_t n = receive(meet, wire, &data, &why);

		if (n < 0)
			return fault_set(fault, ERR_UNAVAILABLE, "", "nobody came%s%.200s",
				*why != '\0' ? ": " : "", why);
		if ((size_t)n > sizeof(meet->rest) - meet->rest_len)
			return fault_set(fault, ERR_UNAVAILABLE, "",
				"the server does not speak nymea's protocol");
		memcpy(meet->rest + meet->rest_len, data, (size_t)n);
		meet->rest_len += (size_t)n;
		found = take_documents(meet, (char *)meet->rest, &meet->rest_len, fault);
	}
	return found == FOUND_OTHER ? OK : ERR_PERMISSION_DENIED;
}
