/* model: see model.h. */
#include "agents/monitor/model.h"

#include "lib/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *model_text(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

json_int_t model_number(const json_t *object, const char *member)
{
	return json_integer_value(json_object_get(object, member));
}

static bool is(const json_t *object, const char *member, const char *value)
{
	return strcmp(model_text(object, member), value) == 0;
}

static void add(json_t *object, const char *member, json_int_t n)
{
	json_object_set_new(object, member, json_integer(model_number(object, member) + n));
}

/* ---- tunnels ---- */

/* What the connection belongs to; NULL: to no tunnel yet. */
static char *key_of(const json_t *connection)
{
	if (is(connection, "kind", "pair"))
		return is(connection, "state", "joined")
			       ? xasprintf("pair %s", model_text(connection, "pair"))
			       : NULL;
	return is(connection, "kind", "new")
		       ? NULL
		       : xasprintf("tunnel %s %s", model_text(connection, "tenant"),
				 model_text(connection, "server"));
}

static json_t *tunnel_make(const json_t *connection)
{
	bool pair = is(connection, "kind", "pair");

	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:[]}", "kind", pair ? "pair" : "tunnel",
		"id", model_text(connection, pair ? "pair" : "server"), "tenant",
		model_text(connection, "tenant"), "since", model_text(connection, "started_at"),
		"rate", 0, "bytes", 0, "connections");
}

/* A tunnel server stands before its clients. Its own bytes are theirs, in frames: not counted. */
static void tunnel_add(json_t *tunnel, json_t *connection)
{
	json_t *connections = json_object_get(tunnel, "connections");

	if (is(connection, "kind", "tunnel_server")) {
		json_array_insert(connections, 0, connection);
		json_object_set(tunnel, "since", json_object_get(connection, "started_at"));
		return;
	}
	json_array_append(connections, connection);
	add(tunnel, "rate", model_number(connection, "rx_rate"));
	if (is(tunnel, "kind", "pair")) {
		add(tunnel, "bytes", model_number(connection, "relayed_bytes"));
		/* It is one since the second one came. */
		if (strcmp(model_text(connection, "started_at"), model_text(tunnel, "since")) > 0)
			json_object_set(tunnel, "since", json_object_get(connection, "started_at"));
	} else {
		add(tunnel, "rate", model_number(connection, "tx_rate"));
		add(tunnel, "bytes",
			model_number(connection, "rx_bytes") +
				model_number(connection, "tx_bytes"));
	}
}

static int compare_tunnels(const void *a, const void *b)
{
	const json_t *one = *(json_t *const *)a, *other = *(json_t *const *)b;
	json_int_t difference = model_number(other, "rate") - model_number(one, "rate");

	if (difference != 0)
		return difference > 0 ? 1 : -1;
	return strcmp(model_text(one, "id"), model_text(other, "id"));
}

static json_t *sorted(json_t *by_key)
{
	size_t n = json_object_size(by_key), i = 0;
	json_t **all = xcalloc(n + 1, sizeof(json_t *));
	json_t *list = json_array(), *tunnel;
	const char *key;

	json_object_foreach(by_key, key, tunnel) all[i++] = tunnel;
	qsort(all, n, sizeof(json_t *), compare_tunnels);
	for (i = 0; i < n; i++)
		json_array_append(list, all[i]);
	free(all);
	return list;
}

static json_t *tunnels_of(const json_t *connections)
{
	json_t *by_key = json_object(), *connection, *list;
	size_t i;

	json_array_foreach(connections, i, connection)
	{
		AUTO_FREE char *key = key_of(connection);
		json_t *tunnel = key ? json_object_get(by_key, key) : NULL;

		if (!key)
			continue;
		if (!tunnel)
			json_object_set_new(by_key, key, tunnel = tunnel_make(connection));
		tunnel_add(tunnel, connection);
	}
	list = sorted(by_key);
	json_decref(by_key);
	return list;
}

/* ---- totals ---- */

static json_t *totals_of(const json_t *connections, const json_t *tunnels)
{
	json_t *totals = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "connections",
		(int)json_array_size(connections), "pairs", 0, "tunnel_servers", 0,
		"tunnel_clients", 0, "waiting", 0, "rate", 0, "bytes", 0);
	const json_t *one;
	size_t i;

	json_array_foreach(connections, i, one)
	{
		add(totals, "tunnel_servers", is(one, "kind", "tunnel_server"));
		add(totals, "tunnel_clients", is(one, "kind", "tunnel_client"));
		add(totals, "waiting", is(one, "kind", "pair") && is(one, "state", "waiting"));
	}
	json_array_foreach(tunnels, i, one)
	{
		add(totals, "pairs", is(one, "kind", "pair"));
		add(totals, "rate", model_number(one, "rate"));
		add(totals, "bytes", model_number(one, "bytes"));
	}
	return totals;
}

json_t *model_make(json_t *connections, const char *time)
{
	json_t *tunnels = tunnels_of(connections);

	return json_pack("{s:s, s:o, s:o, s:O}", "time", time, "totals",
		totals_of(connections, tunnels), "tunnels", tunnels, "connections", connections);
}
