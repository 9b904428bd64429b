/* json: what is read into a message, what is refused and with which field, and what is written. */
#include "lib/json.h"

#include "proto/auth.pb-c.h"
#include "proto/dataplane.pb-c.h"
#include "proto/provision.pb-c.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

static struct call call;

static void open_call(void)
{
	call_init(&call, NULL, "", 1000);
}

static void close_call(void)
{
	call_finish(&call);
}

TestSuite(json, .init = open_call, .fini = close_call);

static ProtobufCMessage *message_new(const ProtobufCMessageDescriptor *descriptor)
{
	ProtobufCMessage *message = arena_alloc(call.arena, descriptor->sizeof_message);

	descriptor->message_init(message);
	return message;
}

static const struct {
	const ProtobufCMessageDescriptor *descriptor;
	const char *text, *want;
} accepted[] = {
	{ &auth__create_tenant_request__descriptor, "{\"name\":\"demo\"}", "{\"name\":\"demo\"}" },
	{ &auth__create_tenant_request__descriptor, " { } ", "{\"name\":\"\"}" },
	{ &auth__empty__descriptor, "{}", "{}" },
	{ &auth__create_tenant_request__descriptor, "{\"name\":\"a\\\"\\\\\\u00e9\\u0001\\n\"}",
		"{\"name\":\"a\\\"\\\\\xc3\xa9\\u0001\\n\"}" },
	{ &auth__update_user_request__descriptor, "{\"role\":\"admin\"}",
		"{\"id\":\"\",\"version\":0,\"role\":\"admin\"}" },
	{ &auth__update_user_request__descriptor, "{\"password\":\"\",\"version\":-9}",
		"{\"id\":\"\",\"version\":-9,\"password\":\"\"}" },
	{ &auth__create_enrolment_key_request__descriptor,
		"{\"tags\":[\"a\",\"b\"],\"approve\":true,\"max_uses\":4294967295}",
		"{\"name\":\"\",\"network\":\"\",\"tags\":[\"a\",\"b\"],\"max_uses\":4294967295,"
		"\"expires_in_s\":0,\"approve\":true}" },
	{ &auth__issue_token_request__descriptor, "{\"scopes\":[]}", "{\"scopes\":[]}" },
	{ &auth__tenant_list__descriptor,
		"{\"items\":[{\"name\":\"x\",\"version\":9223372036854775807}]}",
		"{\"items\":[{\"id\":\"\",\"name\":\"x\",\"state\":\"\",\"created_at\":\"\","
		"\"version\":9223372036854775807,\"delete_at\":\"\"}],\"next_cursor\":\"\"}" },
};

Test(json, accepted)
{
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
		ProtobufCMessage *message = message_new(accepted[i].descriptor);
		err_t err =
			json_read(&call, accepted[i].text, strlen(accepted[i].text), NULL, message);
		size_t len;
		char *text = json_write(call.arena, message, &len);

		cr_expect(eq(int, err, OK), "row %zu: %s", i, call.fault.detail);
		cr_expect(eq(str, text, (char *)accepted[i].want), "row %zu", i);
		cr_expect(eq(sz, len, strlen(text)), "row %zu", i);
	}
}

#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
	const ProtobufCMessageDescriptor *descriptor;
	const char *text;
	size_t len;
	const char *field;
} refused[] = {
	{ &auth__create_tenant_request__descriptor, TEXT(""), "" },
	{ &auth__create_tenant_request__descriptor, TEXT("{"), "" },
	{ &auth__create_tenant_request__descriptor, TEXT("{} {}"), "" },
	{ &auth__create_tenant_request__descriptor, TEXT("[]"), "" },
	{ &auth__create_tenant_request__descriptor, TEXT("null"), "" },
	{ &auth__create_tenant_request__descriptor, TEXT("\"name\""), "" },
	{ &auth__create_tenant_request__descriptor, TEXT("{\"name\":\"a\",\"name\":\"b\"}"), "" },
	{ &auth__create_tenant_request__descriptor, TEXT("{\"name\":\"\xff\"}"), "" },
	{ &auth__create_tenant_request__descriptor, TEXT("{\"name\":\"\xc0\xaf\"}"), "" },
	{ &auth__create_tenant_request__descriptor, TEXT("{\"name\":\"\xed\xa0\x80\"}"), "" },
	{ &auth__create_tenant_request__descriptor, TEXT("{\"name\":\"a\\u0000b\"}"), "" },
	{ &auth__create_tenant_request__descriptor, TEXT("{\"name\":\"a\0b\"}"), "" },
	{ &auth__create_tenant_request__descriptor, TEXT("{\"name\":1}"), "name" },
	{ &auth__create_tenant_request__descriptor, TEXT("{\"name\":null}"), "name" },
	{ &auth__create_tenant_request__descriptor, TEXT("{\"name\":[\"a\"]}"), "name" },
	{ &auth__create_tenant_request__descriptor, TEXT("{\"nam\":\"a\"}"), "nam" },
	{ &auth__create_tenant_request__descriptor, TEXT("{\"set_x\\n\":\"a\"}"), "" },
	{ &auth__create_tenant_request__descriptor, TEXT("{\"tenant\":\"a\"}"), "tenant" },
	{ &auth__update_user_request__descriptor, TEXT("{\"secret\":\"a\"}"), "secret" },
	{ &auth__update_user_request__descriptor, TEXT("{\"role\":true}"), "role" },
	{ &auth__create_enrolment_key_request__descriptor, TEXT("{\"max_uses\":-1}"), "max_uses" },
	{ &auth__create_enrolment_key_request__descriptor, TEXT("{\"max_uses\":1.0}"), "max_uses" },
	{ &auth__create_enrolment_key_request__descriptor, TEXT("{\"max_uses\":\"1\"}"),
		"max_uses" },
	{ &auth__create_enrolment_key_request__descriptor, TEXT("{\"max_uses\":4294967296}"),
		"max_uses" },
	{ &auth__create_enrolment_key_request__descriptor,
		TEXT("{\"max_uses\":99999999999999999999}"), "" },
	{ &auth__create_enrolment_key_request__descriptor, TEXT("{\"approve\":1}"), "approve" },
	{ &auth__create_enrolment_key_request__descriptor, TEXT("{\"tags\":\"a\"}"), "tags" },
	{ &auth__create_enrolment_key_request__descriptor, TEXT("{\"tags\":[1]}"), "tags" },
	{ &auth__create_enrolment_key_request__descriptor, TEXT("{\"tags\":{}}"), "tags" },
	{ &auth__tenant_list__descriptor, TEXT("{\"items\":[1]}"), "items" },
	{ &auth__tenant_list__descriptor, TEXT("{\"items\":[{\"x\":1}]}"), "x" },
};

Test(json, refused)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		ProtobufCMessage *message = message_new(refused[i].descriptor);
		err_t err;

		memset(&call.fault, 0, sizeof(call.fault));
		err = json_read(&call, refused[i].text, refused[i].len, NULL, message);
		cr_expect(eq(int, err, ERR_INVALID_ARGUMENT), "row %zu", i);
		cr_expect(eq(str, call.fault.field, (char *)refused[i].field), "row %zu", i);
		cr_expect(ne(str, call.fault.detail, ""), "row %zu", i);
	}
}

Test(json, excepted_fields_are_unknown)
{
	static const char *const except[] = { "id", "version", NULL };
	static const char text[] = "{\"role\":\"admin\",\"version\":3}";
	ProtobufCMessage *message = message_new(&auth__update_user_request__descriptor);

	cr_expect(eq(int, json_read(&call, TEXT(text), except, message), ERR_INVALID_ARGUMENT));
	cr_expect(eq(str, call.fault.field, "version"));
}

Test(json, string_limit)
{
	for (size_t extra = 0; extra < 2; extra++) {
		ProtobufCMessage *message = message_new(&auth__create_tenant_request__descriptor);
		char text[JSON_STRING_MAX + 32];
		int len = snprintf(text, sizeof(text), "{\"name\":\"%0*d\"}",
			(int)(JSON_STRING_MAX + extra), 0);
		err_t err = json_read(&call, text, (size_t)len, NULL, message);

		cr_expect(eq(int, err, extra == 0 ? OK : ERR_INVALID_ARGUMENT));
	}
	cr_expect(eq(str, call.fault.field, "name"));
}

Test(json, deep_nesting_is_refused)
{
	ProtobufCMessage *message = message_new(&auth__create_tenant_request__descriptor);
	char text[60000];

	memset(text, '[', sizeof(text));
	cr_expect(
		eq(int, json_read(&call, text, sizeof(text), NULL, message), ERR_INVALID_ARGUMENT));
}

static const struct {
	const char *name, *text;
	err_t want;
} parameters[] = {
	{ "limit", "200", OK },
	{ "limit", "0", OK },
	{ "limit", "4294967295", OK },
	{ "limit", "4294967296", ERR_INVALID_ARGUMENT },
	{ "limit", "99999999999999999999999", ERR_INVALID_ARGUMENT },
	{ "limit", "", ERR_INVALID_ARGUMENT },
	{ "limit", "-1", ERR_INVALID_ARGUMENT },
	{ "limit", "+1", ERR_INVALID_ARGUMENT },
	{ "limit", " 1", ERR_INVALID_ARGUMENT },
	{ "limit", "1x", ERR_INVALID_ARGUMENT },
	{ "limit", "0x10", ERR_INVALID_ARGUMENT },
	{ "name", "", OK },
	{ "name", "a", OK },
	{ "nonsense", "a", ERR_INVALID_ARGUMENT },
};

Test(json, parameters)
{
	for (size_t i = 0; i < ARRAY_LEN(parameters); i++) {
		ProtobufCMessage *message = message_new(&provision__list_request__descriptor);
		err_t err =
			json_read_parameter(&call, parameters[i].name, parameters[i].text, message);

		cr_expect(eq(int, err, parameters[i].want), "row %zu", i);
		if (err != OK)
			cr_expect(eq(str, call.fault.field, (char *)parameters[i].name));
	}
}

Test(json, parameter_values)
{
	Auth__EnrolmentKey key = AUTH__ENROLMENT_KEY__INIT;
	Auth__UpdateUserRequest update = AUTH__UPDATE_USER_REQUEST__INIT;

	cr_assert(eq(int, json_read_parameter(&call, "approve", "true", &key.base), OK));
	cr_expect(key.approve);
	cr_assert(eq(int, json_read_parameter(&call, "version", "12", &key.base), OK));
	cr_expect(eq(i64, key.version, 12));
	cr_expect(ne(int, json_read_parameter(&call, "approve", "yes", &key.base), OK));
	cr_expect(ne(int, json_read_parameter(&call, "tags", "a", &key.base), OK));
	cr_expect(ne(int, json_read_parameter(&call, "role", "admin", &update.base), OK));
}

Test(json, foreign_bytes_are_replaced)
{
	Auth__CreateTenantRequest request = AUTH__CREATE_TENANT_REQUEST__INIT;

	request.name = "a\xff\xc3 b";
	cr_expect(eq(str, json_write(call.arena, &request.base, NULL), "{\"name\":\"a?? b\"}"));
	request.name = NULL;
	cr_expect(eq(str, json_write(call.arena, &request.base, NULL), "{\"name\":\"\"}"));
}

Test(json, large_numbers_are_exact)
{
	Dataplane__Session session = DATAPLANE__SESSION__INIT;
	char *text;

	session.rx_bytes = UINT64_MAX;
	text = json_write(call.arena, &session.base, NULL);
	cr_expect(ne(ptr, strstr(text, "\"rx_bytes\":18446744073709551615"), NULL));
}

Test(json, field)
{
	Auth__Tenant tenant = AUTH__TENANT__INIT;

	cr_expect(eq(
		ptr, json_field(&tenant.base, "version", PROTOBUF_C_TYPE_INT64), &tenant.version));
	cr_expect(eq(ptr, json_field(&tenant.base, "version", PROTOBUF_C_TYPE_STRING), NULL));
	cr_expect(eq(ptr, json_field(&tenant.base, "nothing", PROTOBUF_C_TYPE_STRING), NULL));
}
