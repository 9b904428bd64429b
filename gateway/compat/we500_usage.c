/* we500_usage: see we500_usage.h. One counter for each kind and outcome. */
#include "gateway/compat/we500_usage.h"

#include "lib/mem.h"
#include "lib/metrics.h"

enum outcome { ANSWERED, REMEMBERED, UNKNOWN, LIMITED, AWAY, OTHER, N_OUTCOMES };

#define COUNTER(what, outcome)                                                                     \
	{                                                                                          \
		.name = "lanyard_portal_requests_total",                                           \
		.help = "what devices asked of the portal, and how it ended",                      \
		.labels = "kind=\"" what "\",outcome=\"" outcome "\"", .type = METRIC_COUNTER      \
	}
#define COUNTERS(what)                                                                             \
	{                                                                                          \
		COUNTER(what, "answered"), COUNTER(what, "remembered"), COUNTER(what, "unknown"),  \
			COUNTER(what, "limited"), COUNTER(what, "away"), COUNTER(what, "other")    \
	}

static struct metric asked[][N_OUTCOMES] = { COUNTERS("poll"), COUNTERS("packet"),
	COUNTERS("acknowledge") };

void we500_usage_open(void)
{
	for (size_t kind = 0; kind < ARRAY_LEN(asked); kind++)
		for (size_t i = 0; i < N_OUTCOMES; i++)
			metric_register(&asked[kind][i]);
}

void we500_usage_count(enum we500_kind kind, err_t err, bool remembered)
{
	static const enum outcome outcomes[] = {
		[OK] = ANSWERED,
		[ERR_UNAUTHENTICATED] = UNKNOWN,
		[ERR_RESOURCE_EXHAUSTED] = LIMITED,
		[ERR_UNAVAILABLE] = AWAY,
		[ERR_DEADLINE_EXCEEDED] = AWAY,
	};
	enum outcome outcome = OTHER;

	if (remembered)
		outcome = REMEMBERED;
	else if (err == OK || ((size_t)err < ARRAY_LEN(outcomes) && outcomes[err] != ANSWERED))
		outcome = outcomes[err];
	metric_add(&asked[kind][outcome], 1);
}
