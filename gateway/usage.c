/* usage: a counter for each class of status, and one histogram of times. */
#include "gateway/usage.h"

#include "lib/mem.h"
#include "lib/metrics.h"

#define COUNTER(class)                                                                             \
	{                                                                                          \
		.name = "lanyard_gateway_requests_total", .help = "requests answered, by status",  \
		.labels = "status=\"" class "\"", .type = METRIC_COUNTER                           \
	}

static struct metric answered[] = { COUNTER("2xx"), COUNTER("3xx"), COUNTER("4xx"),
	COUNTER("5xx") };

static struct metric seconds = {
	.name = "lanyard_gateway_request_seconds",
	.help = "time from the last byte of a request to its reply",
	.type = METRIC_HISTOGRAM,
};

void usage_open(void)
{
	for (size_t i = 0; i < ARRAY_LEN(answered); i++)
		metric_register(&answered[i]);
	metric_register(&seconds);
}

void usage_count(enum http_status status, int64_t ms)
{
	metric_add(&answered[(unsigned)status / 100 - 2], 1);
	metric_observe_ms(&seconds, (double)ms);
}
