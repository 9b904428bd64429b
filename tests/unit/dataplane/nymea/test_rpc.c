/* rpc: the answers to good and bad requests, byte for byte as nymea-remoteproxy 0.1.5 gave them. */
#include "dataplane/nymea/rpc.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <string.h>

static const struct rpc_method methods[] = {
	{ .name = "RemoteProxy.Hello", .call = 1 },
	{ .name = "Authentication.Authenticate",
		.params = { { "name", RPC_STRING, false }, { "nonce", RPC_STRING, true },
			{ "token", RPC_STRING, false }, { "uuid", RPC_STRING, false } },
		.call = 2 },
	{ .name = "TunnelProxy.Ping", .params = { { "timestamp", RPC_UINT, false } }, .call = 3 },
	{ .name = "TunnelProxy.Find", .params = { { "serverUuid", RPC_UUID, false } }, .call = 4 },
	{ .name = NULL },
};

#define AUTHENTICATE "\"method\":\"Authentication.Authenticate\""

Test(rpc, refusals)
{
	static const struct {
		const char *text, *answer, *reason;
	} rows[] = {
		{ "nonsense",
			"{\"error\":\"Failed to parse JSON data: illegal value\",\"id\":-1,"
			"\"status\":\"error\"}\n",
			"Invalid JSON data received." },
		{ "{\"id\":1,\"method\":\"RemoteProxy.Hello\"}\n{\"id\":2}",
			"{\"error\":\"Failed to parse JSON data: garbage at the end of the "
			"document\",\"id\":-1,\"status\":\"error\"}\n",
			"Invalid JSON data received." },
		{ "{\"method\":\"RemoteProxy.Hello\"}",
			"{\"error\":\"Error parsing command. Missing 'id'\",\"id\":-1,"
			"\"status\":\"error\"}\n",
			"The id property is missing in the request." },
		{ "{\"id\":4," AUTHENTICATE ",\"params\":{\"token\":\"a\\u0000b\"}}",
			"{\"error\":\"Failed to parse JSON data: illegal value\",\"id\":-1,"
			"\"status\":\"error\"}\n",
			"Invalid JSON data received." },
		{ "[1]",
			"{\"error\":\"Error parsing command. Missing 'id'\",\"id\":-1,"
			"\"status\":\"error\"}\n",
			"The id property is missing in the request." },
		{ "{\"id\":null}",
			"{\"error\":\"Error parsing command. Missing 'id'\",\"id\":-1,"
			"\"status\":\"error\"}\n",
			"The id property is missing in the request." },
		{ "{\"id\":\"abc\"}",
			"{\"error\":\"Error parsing command. Missing 'id'\",\"id\":-1,"
			"\"status\":\"error\"}\n",
			"The id property is missing in the request." },
		{ "{\"id\":4}",
			"{\"error\":\"Error parsing method. Got: ''', Expected: "
			"'Namespace.method'\",\"id\":4,\"status\":\"error\"}\n",
			"Invalid method passed." },
		{ "{\"id\":4,\"method\":\"Hello\"}",
			"{\"error\":\"Error parsing method. Got: 'Hello'', Expected: "
			"'Namespace.method'\",\"id\":4,\"status\":\"error\"}\n",
			"Invalid method passed." },
		{ "{\"id\":4,\"method\":\"a.b.c\"}",
			"{\"error\":\"Error parsing method. Got: 'a.b.c'', Expected: "
			"'Namespace.method'\",\"id\":4,\"status\":\"error\"}\n",
			"Invalid method passed." },
		{ "{\"id\":4,\"method\":\"Remote.Hello\"}",
			"{\"error\":\"No such namespace\",\"id\":4,\"status\":\"error\"}\n",
			"No such namespace." },
		{ "{\"id\":4,\"method\":\"RemoteProxy.Bye\"}",
			"{\"error\":\"No such method\",\"id\":4,\"status\":\"error\"}\n",
			"No such method." },
		{ "{\"id\":4," AUTHENTICATE "}",
			"{\"error\":\"Invalid params: Missing key name in {\\n}\\n\",\"id\":4,"
			"\"status\":\"error\"}\n",
			"Invalid params passed." },
		{ "{\"id\":4," AUTHENTICATE ",\"params\":{\"name\":\"n\",\"uuid\":\"u\"}}",
			"{\"error\":\"Invalid params: Missing key token in {\\n    \\\"name\\\": "
			"\\\"n\\\",\\n    \\\"uuid\\\": \\\"u\\\"\\n}\\n\",\"id\":4,\"status\":"
			"\"error\"}\n",
			"Invalid params passed." },
		{ "{\"id\":4,\"method\":\"RemoteProxy.Hello\",\"params\":{\"zzz\":[{}],"
		  "\"b\":1}}",
			"{\"error\":\"Invalid params: Forbidden key \\\"b\\\" in {\\n    "
			"\\\"b\\\": 1,\\n    \\\"zzz\\\": [\\n        {\\n        }\\n    "
			"]\\n}\\n\",\"id\":4,\"status\":\"error\"}\n",
			"Invalid params passed." },
		{ "{\"id\":4," AUTHENTICATE ",\"params\":{\"name\":[]}}",
			"{\"error\":\"Invalid params: Param  is not a string.\",\"id\":4,"
			"\"status\":\"error\"}\n",
			"Invalid params passed." },
		{ "{\"id\":4,\"method\":\"TunnelProxy.Find\",\"params\":{\"serverUuid\":5}}",
			"{\"error\":\"Invalid params: Param 5 is not a uuid.\",\"id\":4,"
			"\"status\":\"error\"}\n",
			"Invalid params passed." },
		{ "{\"id\":4,\"method\":\"TunnelProxy.Ping\",\"params\":{\"timestamp\":{}}}",
			"{\"error\":\"Invalid params: Param  is not a int.\",\"id\":4,"
			"\"status\":\"error\"}\n",
			"Invalid params passed." },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rpc_request request;
		struct rpc_refusal refusal;

		cr_assert_not(
			rpc_read(&request, methods, rows[i].text, strlen(rows[i].text), &refusal),
			"%s", rows[i].text);
		cr_expect_str_eq(
			refusal.answer, rows[i].answer, "%s\n%s", rows[i].text, refusal.answer);
		cr_expect_str_eq(refusal.reason, rows[i].reason, "%s", rows[i].text);
		free(refusal.answer);
	}
}

/* Each line of it would have thousands of blanks. */
Test(rpc, what_is_nested_deeply_is_printed_in_one_line)
{
	enum { DEPTH = 1000 };
	char nested[2 * DEPTH + 1] = "";
	AUTO_FREE char *text = NULL, *want = NULL;
	struct rpc_request request;
	struct rpc_refusal refusal;

	memset(nested, '[', DEPTH);
	memset(nested + DEPTH, ']', DEPTH);
	text = xasprintf(
		"{\"id\":4,\"method\":\"RemoteProxy.Hello\",\"params\":{\"a\":%s}}", nested);
	want = xasprintf(
		"{\"error\":\"Invalid params: Forbidden key \\\"a\\\" in {\\\"a\\\":%s}\\n\","
		"\"id\":4,\"status\":\"error\"}\n",
		nested);
	cr_assert_not(rpc_read(&request, methods, text, strlen(text), &refusal));
	cr_expect_str_eq(refusal.answer, want);
	free(refusal.answer);
}

Test(rpc, ids_are_converted_as_by_Qt)
{
	static const struct {
		const char *id;
		int want;
	} rows[] = { { "7", 7 }, { "\"7\"", 7 }, { "1.9", 2 }, { "true", 1 }, { "-5", -5 },
		{ "1099511627776", 0 }, { "\" 8 \"", 8 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *text =
			xasprintf("{\"id\":%s,\"jsonrpc\":\"2.0\",\"method\":\"RemoteProxy.Hello\","
				  "\"params\":[1]}",
				rows[i].id);
		struct rpc_request request;
		struct rpc_refusal refusal;

		cr_assert(rpc_read(&request, methods, text, strlen(text), &refusal), "%s", text);
		cr_expect_eq(request.id, rows[i].want, "%s", text);
		cr_expect_eq(request.method->call, 1);
		rpc_finish(&request);
	}
}

Test(rpc, strings_may_be_other_things)
{
	static const char text[] = "{\"id\":0," AUTHENTICATE
				   ",\"params\":{\"name\":null,\"token\":1.7,\"uuid\":true}}";
	struct rpc_request request;
	struct rpc_refusal refusal;
	AUTO_FREE char *name = NULL, *token = NULL, *uuid = NULL, *nonce = NULL;

	cr_assert(rpc_read(&request, methods, text, strlen(text), &refusal));
	name = rpc_text(&request, "name");
	token = rpc_text(&request, "token");
	uuid = rpc_text(&request, "uuid");
	nonce = rpc_text(&request, "nonce");
	cr_expect_str_eq(name, "");
	cr_expect_str_eq(token, "1.7");
	cr_expect_str_eq(uuid, "true");
	cr_expect_str_eq(nonce, "");
	rpc_finish(&request);
}

Test(rpc, answers)
{
	AUTO_FREE char *answer = rpc_answer(0, json_pack("{s:s}", "z", "\xc3\xa4/"));
	AUTO_FREE char *notification = rpc_notification(26, "RemoteProxy.TunnelEstablished",
		json_pack("{s:s, s:s}", "uuid", "{2}", "name", "clientB"));

	cr_expect_str_eq(
		answer, "{\"id\":0,\"params\":{\"z\":\"\xc3\xa4/\"},\"status\":\"success\"}\n");
	cr_expect_str_eq(notification,
		"{\"id\":26,\"notification\":\"RemoteProxy.TunnelEstablished\",\"params\":"
		"{\"name\":\"clientB\",\"uuid\":\"{2}\"}}\n");
}
