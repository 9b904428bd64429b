/*
 * export: all that is kept of a tenant as one JSON document, in the words of the API: what its own
 * lists give, so no secret is in it, and nothing is forgotten that has a list. The document is
 * sent a page at a time, so it may be of any length. In the threads of feeds.
 */
#include "gateway/api/tables.h"

#include "gateway/request.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "proto/auth.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PREFIX	   "/v1/tenants/{tenant}/"
#define PAGE_ITEMS 200
#define CURSOR_LEN 64

struct document {
	struct feed feed; /* first */
	const char *head; /* NULL once it is sent */
	const struct route *const *table;
	const struct route *route; /* in it; the next one to be asked */
	bool begun;		   /* its name is written */
	size_t n_items, n_resources;
	char cursor[CURSOR_LEN];
};

/* ---- what there is ---- */

/* What is kept, not what only lives: that needs handlers of its own. */
static bool is_kept(const struct route *route)
{
	size_t len = strlen(PREFIX);

	return strcmp(route->method, "GET") == 0 && route->handler == NULL &&
	       strncmp(route->path, PREFIX, len) == 0 && strchr(route->path + len, '/') == NULL;
}

/* Moves on to the next resource, from `route` itself on; false: that was all. */
static bool seek(struct document *document)
{
	for (; *document->table != NULL; document->route = *++document->table)
		for (; document->route->method != NULL; document->route++)
			if (is_kept(document->route))
				return true;
	return false;
}

/* ---- the document ---- */

static void *field(const ProtobufCMessage *message, const char *name, ProtobufCType type)
{
	return json_field(message, name, type);
}

static const ProtobufCMessage *ask(struct document *document, struct call *call)
{
	const struct route *route = document->route;
	const ProtobufCMethodDescriptor *method =
		protobuf_c_service_descriptor_get_method_by_name(route->service, route->rpc);
	ProtobufCMessage *message = arena_alloc(call->arena, method->input->sizeof_message);
	const ProtobufCMessage *reply = NULL;
	const char **cursor;
	uint32_t *limit;

	method->input->message_init(message);
	cursor = field(message, "cursor", PROTOBUF_C_TYPE_STRING);
	limit = field(message, "limit", PROTOBUF_C_TYPE_UINT32);
	if (cursor != NULL)
		*cursor = document->cursor;
	if (limit != NULL)
		*limit = PAGE_ITEMS;
	return bus_call(call, route->service, route->rpc, message, &reply) == OK ? reply : NULL;
}

static void write_items(FILE *out, struct call *call, struct document *document,
	const ProtobufCMessage *reply, const ProtobufCFieldDescriptor *items)
{
	size_t n = *(const size_t *)((const char *)reply + items->quantifier_offset);
	ProtobufCMessage **list = *(ProtobufCMessage ***)((const char *)reply + items->offset);

	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s%s", document->n_items++ > 0 ? "," : "",
			json_write(call->arena, list[i], NULL));
}

/* A page of a list, or a resource that is one thing. */
static void write_reply(
	FILE *out, struct call *call, struct document *document, const ProtobufCMessage *reply)
{
	const ProtobufCFieldDescriptor *items =
		protobuf_c_message_descriptor_get_field_by_name(reply->descriptor, "items");
	const char *const *next = field(reply, "next_cursor", PROTOBUF_C_TYPE_STRING);
	bool is_list = items != NULL && items->label == PROTOBUF_C_LABEL_REPEATED;

	if (!document->begun)
		fprintf(out, "%s\"%s\":%s", document->n_resources++ > 0 ? "," : "",
			document->route->path + strlen(PREFIX), is_list ? "[" : "");
	if (is_list)
		write_items(out, call, document, reply, items);
	else
		fputs(json_write(call->arena, reply, NULL), out);
	snprintf(document->cursor, sizeof(document->cursor), "%s", next != NULL ? *next : "");
	document->begun = *document->cursor != '\0';
	if (document->begun)
		return;
	fputs(is_list ? "]" : "", out);
	document->n_items = 0;
	document->route++;
}

static const char *next(struct feed *feed, struct call *call, bool *over)
{
	struct document *document = (struct document *)feed;
	const ProtobufCMessage *reply;
	AUTO_FREE char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		BUG("no memory for an export");
	if (document->head != NULL)
		fputs(document->head, out);
	document->head = NULL;
	if (!seek(document)) {
		fputs("},\"complete\":true}\n", out);
		*over = true;
	} else if ((reply = ask(document, call)) != NULL) {
		write_reply(out, call, document, reply);
	} else {
		/* Whoever reads it has to see that something is missing. */
		fprintf(out, "%s},\"complete\":false,\"missing\":\"%s\"}\n",
			document->begun ? "]" : "", document->route->path + strlen(PREFIX));
		*over = true;
	}
	fclose(out);
	return arena_strdup(call->arena, text);
}

/* ---- opening ---- */

static void closed(struct feed *feed)
{
	(void)feed;
}

static err_t open_export(struct api_request *request)
{
	struct call *call = request->call;
	struct document *document = arena_alloc(call->arena, sizeof(*document));
	Auth__Ref ref = AUTH__REF__INIT;
	const ProtobufCMessage *tenant;
	const char *head;
	char now[32];
	time_t at = time(NULL);
	struct tm utc;
	err_t err;

	if ((err = request_read_query(request, &ref.base)) != OK ||
		(err = api_call(request, &ref.base, &tenant)) != OK)
		return err;
	strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &utc));
	head = arena_printf(call->arena, "{\"exported_at\":\"%s\",\"tenant\":%s,\"resources\":{",
		now, json_write(call->arena, tenant, NULL));
	*document = (struct document){
		.feed = { .next = next, .closed = closed, .eager = true },
		.head = head,
		.table = api_tables,
		.route = api_tables[0],
	};
	api_send_text(request, "application/json", "", 0);
	http_reply_add(
		request->reply, "Content-Disposition", "attachment; filename=\"tenant.json\"");
	request->reply->feed = &document->feed;
	return OK;
}

/* clang-format off */
#define SERVICE &auth__auth__descriptor

const struct route export_routes[] = {
	ROUTE("GET", "/v1/tenants/{tenant}/export", "tenants:export", "GetTenant",
		.flags = ROUTE_COSTLY, .handler = open_export),
	{ .method = NULL },
};
/* clang-format on */
