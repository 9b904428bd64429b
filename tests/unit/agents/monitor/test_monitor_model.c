/* model: which connections make a tunnel, in what order, and the totals. */
#include "agents/monitor/model.h"

#include <criterion/criterion.h>

#include <string.h>

static json_t *model_of(const char *connections)
{
	json_t *list = json_loads(connections, 0, NULL);
	json_t *model;

	cr_assert(list != NULL);
	model = model_make(list, "2026-03-01T12:00:00Z");
	json_decref(list);
	return model;
}

static json_int_t total(const json_t *model, const char *name)
{
	return model_number(json_object_get(model, "totals"), name);
}

static const json_t *tunnel(const json_t *model, size_t i)
{
	return json_array_get(json_object_get(model, "tunnels"), i);
}

Test(monitor_model, nothing)
{
	json_t *model = model_of("[]");

	cr_expect_eq(total(model, "connections"), 0);
	cr_expect_eq(json_array_size(json_object_get(model, "tunnels")), 0);
	cr_expect_str_eq(model_text(model, "time"), "2026-03-01T12:00:00Z");
	json_decref(model);
}

Test(monitor_model, pairs_and_tunnels)
{
	json_t *model = model_of(
		"[{\"kind\":\"tunnel_client\",\"state\":\"joined\",\"tenant\":\"t\",\"server\":"
		"\"s\","
		"\"rx_rate\":100,\"tx_rate\":200,\"rx_bytes\":10,\"tx_bytes\":20,\"name\":\"c\","
		"\"started_at\":\"2026-03-01T11:00:00Z\"},"
		"{\"kind\":\"tunnel_server\",\"state\":\"joined\",\"tenant\":\"t\",\"server\":"
		"\"s\",\"rx_rate\":999,"
		"\"name\":\"srv\",\"started_at\":\"2026-03-01T10:00:00Z\"},"
		"{\"kind\":\"tunnel_server\",\"state\":\"waiting\",\"tenant\":\"other\",\"server\":"
		"\"s\"},"
		"{\"kind\":\"pair\",\"state\":\"joined\",\"pair\":\"p\",\"rx_rate\":5,\"relayed_"
		"bytes\":7,"
		"\"rx_bytes\":1000,\"started_at\":\"2026-03-01T11:00:00Z\"},"
		"{\"kind\":\"pair\",\"state\":\"joined\",\"pair\":\"p\",\"rx_rate\":6,\"relayed_"
		"bytes\":8,"
		"\"started_at\":\"2026-03-01T11:00:05Z\"},"
		"{\"kind\":\"pair\",\"state\":\"waiting\",\"pair\":\"q\"},{\"kind\":\"new\","
		"\"state\":\"opening\"}]");

	cr_assert_eq(json_array_size(json_object_get(model, "tunnels")), 3);
	cr_expect_str_eq(model_text(tunnel(model, 0), "kind"), "tunnel");
	cr_expect_str_eq(model_text(tunnel(model, 0), "since"), "2026-03-01T10:00:00Z");
	cr_expect_eq(model_number(tunnel(model, 0), "rate"), 300);
	cr_expect_eq(model_number(tunnel(model, 0), "bytes"), 30);
	cr_expect_str_eq(
		model_text(json_array_get(json_object_get(tunnel(model, 0), "connections"), 0),
			"name"),
		"srv");
	cr_expect_str_eq(model_text(tunnel(model, 1), "kind"), "pair");
	cr_expect_str_eq(model_text(tunnel(model, 1), "since"), "2026-03-01T11:00:05Z");
	cr_expect_eq(model_number(tunnel(model, 1), "rate"), 11);
	cr_expect_eq(model_number(tunnel(model, 1), "bytes"), 15);
	cr_expect_eq(total(model, "connections"), 7);
	cr_expect_eq(total(model, "pairs"), 1);
	cr_expect_eq(total(model, "waiting"), 1);
	cr_expect_eq(total(model, "tunnel_servers"), 2);
	cr_expect_eq(total(model, "tunnel_clients"), 1);
	cr_expect_eq(total(model, "rate"), 311);
	cr_expect_eq(total(model, "bytes"), 45);
	json_decref(model);
}
