/*
 * metrics: counters, gauges and histograms of this process, printed as Prometheus text by the ops
 * port. Each is a static object of the module that counts; metric_register links it into the list
 * once.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

#define METRIC_BUCKETS 12 /* upper bounds 0.5 ms * 2^i, then +Inf */

struct metric {
	const char *name; /* lanyard_..._total, ..._seconds */
	const char *help;
	const char
		*labels; /* "kind=\"x\"" or NULL; metrics of one name are registered side by side */
	enum metric_type type;
	_Atomic int64_t value; /* counter, gauge; histogram: sum in microseconds */
	_Atomic int64_t bucket[METRIC_BUCKETS + 1]; /* histogram: not cumulative */
	struct metric *next;			    /* metrics.list; set by metric_register */
};

void metric_register(struct metric *metric);
void metric_add(struct metric *metric, int64_t n);
void metric_set(struct metric *metric, int64_t value);
void metric_observe_ms(struct metric *metric, double ms);

/* Writes all registered metrics in the text format 0.0.4. */
void metrics_print(FILE *out);
