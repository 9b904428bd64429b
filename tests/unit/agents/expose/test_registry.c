/* registry: replies of the portal about names, good and bad. */
#include "agents/expose/registry.h"

#include "lib/mem.h"

#include <criterion/criterion.h>
#include <string.h>

#define TOKEN "6f1c1e9a-1f0e-4a4e-9f7e-3f8d1f0f7d11"

static struct fetch_reply reply_of(unsigned status, const char *body)
{
	return (struct fetch_reply){ .status = status, .body = body, .len = strlen(body) };
}

Test(registry, a_registration_has_name_and_token)
{
	static const struct {
		const char *body;
		err_t err;
		const char *field;
	} rows[] = {
		{ "{\"name\":\"a.box.test\",\"token\":\"" TOKEN "\",\"more\":[1]}", OK, "" },
		{ "{\"name\":\"a.box.test\"}", ERR_INVALID_ARGUMENT, "token" },
		{ "{\"name\":\"a.box.test\",\"token\":\"short\"}", ERR_INVALID_ARGUMENT, "token" },
		{ "{\"name\":\"a.box.test\",\"token\":\"" TOKEN " " TOKEN "\"}",
			ERR_INVALID_ARGUMENT, "token" },
		{ "{\"name\":\"../../etc\",\"token\":\"" TOKEN "\"}", ERR_INVALID_ARGUMENT,
			"name" },
		{ "{\"name\":\"-a.box.test\",\"token\":\"" TOKEN "\"}", ERR_INVALID_ARGUMENT,
			"name" },
		{ "{\"name\":\"\",\"token\":\"" TOKEN "\"}", ERR_INVALID_ARGUMENT, "name" },
		{ "[]", ERR_INVALID_ARGUMENT, "body" },
		{ "", ERR_INVALID_ARGUMENT, "body" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fetch_reply reply = reply_of(201, rows[i].body);
		struct registration registration;
		struct fault fault = { 0 };
		err_t err = registry_registered(&reply, &registration, &fault);

		cr_expect_eq(err, rows[i].err, "row %zu", i);
		cr_expect_str_eq(fault.field, rows[i].field, "row %zu", i);
		if (err == OK)
			cr_expect_str_eq(registration.token, TOKEN);
	}
}

Test(registry, refusals_are_what_their_status_says)
{
	static const struct {
		unsigned status;
		const char *body;
		err_t err;
	} rows[] = {
		{ 404, "", ERR_NOT_FOUND },
		{ 409, "{\"detail\":\"the name is taken\"}", ERR_ALREADY_EXISTS },
		{ 400, "Query deserialize error", ERR_INVALID_ARGUMENT },
		{ 503, "", ERR_UNAVAILABLE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fetch_reply reply = reply_of(rows[i].status, rows[i].body);
		struct registration registration;
		struct name_info info;
		struct fault fault;

		cr_expect_eq(
			registry_registered(&reply, &registration, &fault), rows[i].err, "%zu", i);
		cr_expect_eq(registry_info(&reply, &info, &fault), rows[i].err, "%zu", i);
	}
}

Test(registry, what_is_told_of_a_name)
{
	static const struct {
		const char *body;
		err_t err;
		unsigned n_urls;
	} rows[] = {
		{ "{\"name\":\"a.box.test\",\"expire_s\":120,\"tunnel_urls\":[\"wss://n.test:9443/"
		  "tunnel\"]}",
			OK, 1 },
		{ "{\"name\":\"a.box.test\"}", OK, 0 },
		{ "{\"name\":\"a.box.test\",\"tunnel_urls\":[\"https://n.test/\"]}",
			ERR_INVALID_ARGUMENT, 0 },
		{ "{\"name\":\"a.box.test\",\"tunnel_urls\":[7]}", ERR_INVALID_ARGUMENT, 0 },
		{ "{\"name\":\"a.box.test\",\"expire_s\":-1}", ERR_INVALID_ARGUMENT, 0 },
		{ "{\"name\":\"a.box.test\",\"expire_s\":99999999999}", ERR_INVALID_ARGUMENT, 0 },
		{ "{\"name\":\"a.box.test\",\"tunnel_urls\":[\"wss://a/\",\"wss://b/\",\"wss://c/"
		  "\",\"wss://d/\",\"wss://e/\",\"wss://f/\",\"wss://g/\",\"wss://h/\",\"wss://i/"
		  "\"]}",
			OK, REGISTRY_URLS_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fetch_reply reply = reply_of(200, rows[i].body);
		struct name_info info = { 0 };
		struct fault fault;

		cr_expect_eq(registry_info(&reply, &info, &fault), rows[i].err, "row %zu", i);
		if (rows[i].err == OK)
			cr_expect_eq(info.n_urls, rows[i].n_urls, "row %zu", i);
	}
}
