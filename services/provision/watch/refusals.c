/* refusals: see refusals.h. */
#include "services/provision/watch/refusals.h"

#include "lib/metrics.h"

#define COUNTER(cause)                                                                             \
	{                                                                                          \
		.name = "lanyard_portal_refused_total",                                            \
		.help = "requests of devices that the portal did not believe",                     \
		.labels = "cause=\"" cause "\"", .type = METRIC_COUNTER                            \
	}

static struct metric refused[N_REFUSALS] = {
	[REFUSAL_MALFORMED] = COUNTER("malformed"),
	[REFUSAL_UNKNOWN] = COUNTER("unknown"),
	[REFUSAL_PASSWORD] = COUNTER("password"),
	[REFUSAL_LEGACY] = COUNTER("legacy"),
	[REFUSAL_NEWLINE] = COUNTER("newline"),
	[REFUSAL_RETIRED] = COUNTER("retired"),
	[REFUSAL_SUSPENDED] = COUNTER("suspended"),
};

void refusals_open(void)
{
	for (int i = 0; i < N_REFUSALS; i++)
		metric_register(&refused[i]);
}

void refusals_count(enum refusal refusal)
{
	metric_add(&refused[refusal], 1);
}
