/* agent_status: how an agent is, for lanyard status. */
#include "agents/agent_struct.h"

#include "agents/document.h"

#include "lib/clock.h"
#include "lib/l2.h"

#include <stdio.h>

static const char *const state_names[] = {
	[ATTACHING] = "attaching",
	[PREPARING] = "preparing",
	[CONNECTING] = "connecting",
	[CONNECTED] = "connected",
	[WAITING] = "waiting",
	[STOPPING] = "stopping",
};

void agent_mac_text(const uint8_t m[6], char out[18])
{
	snprintf(out, 18, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static json_t *time_text(int64_t unix_s)
{
	char text[CLOCK_TEXT_LEN];

	clock_text(unix_s, text);
	return json_string(text);
}

static json_t *count(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static void report_attachment(json_t *status, const struct attachment *attachment)
{
	char mac[18];

	agent_mac_text(attachment->mac, mac);
	json_object_set_new(status, "tenant", json_string(attachment->tenant));
	json_object_set_new(status, "network", json_string(attachment->network));
	json_object_set_new(status, "name", json_string(attachment->name));
	json_object_set_new(status, "mac", json_string(mac));
	json_object_set_new(status, "ipv4", json_string(attachment->ipv4.text));
	json_object_set_new(status, "ipv6", json_string(attachment->ipv6.text));
	json_object_set_new(status, "mtu", count(attachment->mtu));
}

static void report_session(json_t *status, const struct agent *agent)
{
	char url[URL_TEXT_MAX];

	if (agent->session != NULL) {
		url_text(&agent->url, url);
		json_object_set_new(status, "url", json_string(url));
	}
	if (agent->state == CONNECTED)
		json_object_set_new(status, "protocol",
			json_string(session_has_l2(agent->session) ? L2_PROTOCOL : "frames"));
	if (agent->state == CONNECTED)
		json_object_set_new(status, "connected_since", time_text(agent->connected_at_s));
	json_object_set_new(status, "sessions", count(agent->sessions));
}

static void report_counters(json_t *status, const struct tap *tap)
{
	json_object_set_new(status, "frames_in", count(tap->frames_in));
	json_object_set_new(status, "bytes_in", count(tap->bytes_in));
	json_object_set_new(status, "frames_out", count(tap->frames_out));
	json_object_set_new(status, "bytes_out", count(tap->bytes_out));
	json_object_set_new(status, "frames_dropped", count(tap->dropped));
}

static void report_queue(json_t *status, const struct agent *agent)
{
	const struct fair *queue = agent->state == CONNECTED ? session_queue(agent->session) : NULL;

	if (queue == NULL)
		return;
	json_object_set_new(status, "queue_bytes", count(queue->bytes));
	json_object_set_new(status, "queue_full", count(queue->dropped_full));
	json_object_set_new(status, "queue_late", count(queue->dropped_late));
	json_object_set_new(status, "queue_segments", count(queue->dropped_segments));
}

char *agent_status(const struct agent *agent)
{
	const struct device *device = agent->options.device;
	AUTO_DOCUMENT status = json_pack("{s:s, s:s*, s:s, s:s*}", "state",
		state_names[agent->state], "device", device != NULL ? device->id : NULL,
		"interface", agent->options.tap->name, "netns", agent->options.netns);

	if (agent->attached)
		report_attachment(status, &agent->attachment);
	report_session(status, agent);
	report_counters(status, agent->options.tap);
	report_queue(status, agent);
	if (agent->problem[0] != '\0') {
		json_object_set_new(status, "problem", json_string(agent->problem));
		json_object_set_new(status, "problem_at", time_text(agent->problem_at_s));
	}
	return json_dumps(status, JSON_COMPACT);
}
