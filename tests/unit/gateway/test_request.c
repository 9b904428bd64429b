/* request: what path, query, headers and body make of a request message, and what is refused. */
#include "gateway/request.h"

#include "proto/provision.pb-c.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#define ID "01a20b0c-48a1-7d58-9b97-2852397c928c"

static const struct route routes[] = {
	{ .method = "GET", .path = "/x", .query = "cursor limit state" },
	{ .method = "GET", .path = "/x/{id}", .rpc = NULL },
	{ .method = "POST", .path = "/x", .rpc = NULL },
	{ .method = "PATCH", .path = "/x/{id}", .rpc = NULL },
	{ .method = "DELETE", .path = "/x/{id}", .rpc = NULL },
	{ .method = "PUT", .path = "/x", .flags = ROUTE_REPEATABLE },
	{ .method = NULL },
};

static const struct route *const tables[] = { routes, NULL };

static struct http_request http;
static struct http_reply reply;
static struct api_request request;

/* A request as http hands it over, with its route. */
static void open_request(const char *method, const char *target, const char *body)
{
	memset(&http, 0, sizeof(http));
	memset(&request, 0, sizeof(request));
	call_init(&http.call, NULL, "", 1000);
	http.method = method;
	http.target = target;
	http.body = body;
	http.body_len = strlen(body);
	request.call = &http.call;
	request.http = &http;
	request.reply = &reply;
	cr_assert(eq(int, target_parse(request.call, target, &request.target), OK));
	cr_assert(eq(int, router_match(tables, method, &request.target, &request.match), OK));
}

#define REF  &provision__ref__descriptor
#define LIST &provision__list_request__descriptor
#define NEW  &provision__create_network_request__descriptor
#define EDIT &provision__update_network_request__descriptor

static const struct {
	const char *method, *target, *body, *if_match;
	const ProtobufCMessageDescriptor *descriptor;
	err_t want;
	const char *field;
} rows[] = {
	{ "GET", "/x", "", NULL, LIST, OK, "" },
	{ "GET", "/x?limit=10&state=a&cursor=", "", NULL, LIST, OK, "" },
	{ "GET", "/x?limit=ten", "", NULL, LIST, ERR_INVALID_ARGUMENT, "limit" },
	{ "GET", "/x?nonsense=1", "", NULL, LIST, ERR_INVALID_ARGUMENT, "nonsense" },
	/* a field of the message, but no parameter of the endpoint */
	{ "GET", "/x?device=1", "", NULL, LIST, ERR_INVALID_ARGUMENT, "device" },
	{ "GET", "/x?limi=1", "", NULL, LIST, ERR_INVALID_ARGUMENT, "limi" },
	{ "GET", "/x", "{}", NULL, LIST, ERR_INVALID_ARGUMENT, "" },
	{ "GET", "/x/" ID, "", NULL, REF, OK, "" },
	{ "GET", "/x/" ID, "", "\"7\"", REF, OK, "" },
	{ "GET", "/x/" ID "?version=1", "", NULL, REF, ERR_INVALID_ARGUMENT, "version" },
	{ "GET", "/x/7", "", NULL, REF, ERR_NOT_FOUND, "id" },
	{ "GET", "/x/' OR 1=1", "", NULL, REF, ERR_NOT_FOUND, "id" },
	{ "POST", "/x", "{\"name\":\"a\"}", NULL, NEW, OK, "" },
	{ "POST", "/x", "", NULL, NEW, OK, "" },
	{ "POST", "/x?name=a", "{}", NULL, NEW, ERR_INVALID_ARGUMENT, "name" },
	{ "POST", "/x", "{\"name\":\"a\"}", "\"7\"", NEW, ERR_INVALID_ARGUMENT, "If-Match" },
	{ "POST", "/x", "{\"nam\":\"a\"}", NULL, NEW, ERR_INVALID_ARGUMENT, "nam" },
	{ "POST", "/x", "{\"name\":7}", NULL, NEW, ERR_INVALID_ARGUMENT, "name" },
	{ "POST", "/x", "{", NULL, NEW, ERR_INVALID_ARGUMENT, "" },
	{ "PATCH", "/x/" ID, "{\"mtu\":1300}", NULL, EDIT, OK, "" },
	{ "PATCH", "/x/" ID, "{\"mtu\":1300}", "\"7\"", EDIT, OK, "" },
	{ "PATCH", "/x/" ID, "{\"mtu\":1300}", "*", EDIT, OK, "" },
	{ "PATCH", "/x/" ID, "{\"id\":\"" ID "\"}", NULL, EDIT, ERR_INVALID_ARGUMENT, "id" },
	{ "PATCH", "/x/" ID, "{\"version\":1}", NULL, EDIT, ERR_INVALID_ARGUMENT, "version" },
	{ "PATCH", "/x/" ID, "{}", "7", EDIT, ERR_INVALID_ARGUMENT, "If-Match" },
	{ "PATCH", "/x/" ID, "{}", "\"7", EDIT, ERR_INVALID_ARGUMENT, "If-Match" },
	{ "PATCH", "/x/" ID, "{}", "\"\"", EDIT, ERR_INVALID_ARGUMENT, "If-Match" },
	{ "PATCH", "/x/" ID, "{}", "W/\"7\"", EDIT, ERR_INVALID_ARGUMENT, "If-Match" },
	{ "PATCH", "/x/" ID, "{}", "\"7\", \"8\"", EDIT, ERR_INVALID_ARGUMENT, "If-Match" },
	{ "PATCH", "/x/" ID, "{}", "\"9999999999999999999\"", EDIT, ERR_INVALID_ARGUMENT,
		"If-Match" },
	{ "PATCH", "/x/" ID, "{}", "\"0\"", EDIT, ERR_FAILED_PRECONDITION, "version" },
	{ "DELETE", "/x/" ID, "", "\"7\"", REF, OK, "" },
	{ "DELETE", "/x/" ID, "{}", NULL, REF, ERR_INVALID_ARGUMENT, "" },
};

Test(request, read)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ProtobufCMessage *message;
		err_t err;

		open_request(rows[i].method, rows[i].target, rows[i].body);
		http.headers.if_match = rows[i].if_match;
		message = arena_alloc(http.call.arena, rows[i].descriptor->sizeof_message);
		rows[i].descriptor->message_init(message);
		err = request_read(&request, NULL, message);
		cr_expect(eq(int, err, rows[i].want), "row %zu: %s", i, http.call.fault.detail);
		cr_expect(eq(str, http.call.fault.field, (char *)rows[i].field), "row %zu", i);
		call_finish(&http.call);
	}
}

Test(request, values)
{
	Provision__UpdateNetworkRequest update = PROVISION__UPDATE_NETWORK_REQUEST__INIT;
	Provision__ListRequest list = PROVISION__LIST_REQUEST__INIT;

	open_request("PATCH", "/x/" ID, "{\"mtu\":1300}");
	http.headers.if_match = "\"12\"";
	cr_assert(eq(int, request_read(&request, NULL, &update.base), OK));
	cr_expect(eq(str, update.id, ID));
	cr_expect(eq(i64, update.version, 12));
	cr_expect(eq(u32, update.mtu, 1300));
	call_finish(&http.call);

	open_request("GET", "/x?limit=7&state=blocked", "");
	cr_assert(eq(int, request_read(&request, NULL, &list.base), OK));
	cr_expect(eq(u32, list.limit, 7));
	cr_expect(eq(str, list.state, "blocked"));
	call_finish(&http.call);
}

Test(request, own_list_of_exceptions)
{
	static const char *const except[] = { "device", NULL };
	Provision__AttachRequest attach = PROVISION__ATTACH_REQUEST__INIT;

	open_request("POST", "/x", "{\"device\":\"" ID "\"}");
	cr_expect(eq(int, request_read(&request, except, &attach.base), ERR_INVALID_ARGUMENT));
	cr_expect(eq(str, http.call.fault.field, "device"));
	call_finish(&http.call);
}

static const struct {
	const char *method, *target, *key;
	err_t want;
	const char *chosen; /* "*": a random one */
} keys[] = {
	{ "GET", "/x", NULL, OK, "" },
	{ "GET", "/x", "k", OK, "" },
	{ "POST", "/x", NULL, OK, "*" },
	{ "POST", "/x", "k", OK, "k" },
	{ "PATCH", "/x/" ID, "4c2d", OK, "4c2d" },
	{ "DELETE", "/x/" ID, NULL, OK, "*" },
	{ "PUT", "/x", NULL, OK, "" },
	{ "POST", "/x", "", ERR_INVALID_ARGUMENT, "" },
	{ "POST", "/x", "a\tb", ERR_INVALID_ARGUMENT, "" },
	{ "POST", "/x", "\xff", ERR_INVALID_ARGUMENT, "" },
};

Test(request, idempotency_key)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		open_request(keys[i].method, keys[i].target, "");
		http.headers.idempotency_key = keys[i].key;
		cr_expect(eq(int, request_choose_key(&request), keys[i].want), "row %zu", i);
		if (strcmp(keys[i].chosen, "*") == 0)
			cr_expect(eq(sz, strlen(http.call.idempotency_key), 32), "row %zu", i);
		else
			cr_expect(
				eq(str, (char *)http.call.idempotency_key, (char *)keys[i].chosen),
				"row %zu", i);
		call_finish(&http.call);
	}
}

static const struct {
	const char *body, *type;
	bool want;
} types[] = {
	{ "", NULL, true },
	{ "", "text/plain", true },
	{ "{}", NULL, false },
	{ "{}", "application/json", true },
	{ "{}", "Application/JSON; charset=utf-8", true },
	{ "{}", "application/jsonx", false },
	{ "{}", "text/plain", false },
	{ "{}", "application/x-www-form-urlencoded", false },
};

Test(request, content_type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		open_request("POST", "/x", types[i].body);
		http.headers.content_type = types[i].type;
		cr_expect(eq(int, request_has_type(&request, "application/json"), types[i].want),
			"row %zu", i);
		call_finish(&http.call);
	}
}
