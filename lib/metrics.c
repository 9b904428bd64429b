/* metrics: the list of this process's metrics and its Prometheus text. Any thread. */
#include "lib/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#define FIRST_BOUND_MS 0.5

static struct {
	pthread_mutex_t mutex;
	struct metric *list;
} metrics = { PTHREAD_MUTEX_INITIALIZER, NULL };

/* Keeps metrics of one name side by side, as the format wants them. */
static struct metric **place_of(const struct metric *metric)
{
	struct metric **place = &metrics.list;

	while (*place != NULL && strcmp((*place)->name, metric->name) < 0)
		place = &(*place)->next;
	return place;
}

void metric_register(struct metric *metric)
{
	struct metric **place;

	pthread_mutex_lock(&metrics.mutex);
	for (struct metric *m = metrics.list; m != NULL; m = m->next)
		if (m == metric) {
			pthread_mutex_unlock(&metrics.mutex);
			return;
		}
	place = place_of(metric);
	metric->next = *place;
	*place = metric;
	pthread_mutex_unlock(&metrics.mutex);
}

void metric_add(struct metric *metric, int64_t n)
{
	atomic_fetch_add_explicit(&metric->value, n, memory_order_relaxed);
}

void metric_set(struct metric *metric, int64_t value)
{
	atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

void metric_observe_ms(struct metric *metric, double ms)
{
	double bound = FIRST_BOUND_MS;
	int i = 0;

	while (i < METRIC_BUCKETS && ms > bound) {
		bound *= 2;
		i++;
	}
	atomic_fetch_add_explicit(&metric->bucket[i], 1, memory_order_relaxed);
	metric_add(metric, (int64_t)(ms * 1000));
}

static void print_histogram(const struct metric *metric, FILE *out)
{
	const char *labels = metric->labels != NULL ? metric->labels : "";
	const char *comma = metric->labels != NULL ? "," : "";
	const char *open = metric->labels != NULL ? "{" : "";
	const char *close = metric->labels != NULL ? "}" : "";
	double bound_s = FIRST_BOUND_MS / 1000;
	int64_t sum = 0;

	for (int i = 0; i < METRIC_BUCKETS; i++, bound_s *= 2) {
		sum += atomic_load(&metric->bucket[i]);
		fprintf(out, "%s_bucket{%s%sle=\"%g\"} %" PRId64 "\n", metric->name, labels, comma,
			bound_s, sum);
	}
	sum += atomic_load(&metric->bucket[METRIC_BUCKETS]);
	fprintf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRId64 "\n", metric->name, labels, comma, sum);
	fprintf(out, "%s_sum%s%s%s %.6f\n", metric->name, open, labels, close,
		(double)atomic_load(&metric->value) / 1e6);
	fprintf(out, "%s_count%s%s%s %" PRId64 "\n", metric->name, open, labels, close, sum);
}

void metrics_print(FILE *out)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };
	const char *last = "";

	pthread_mutex_lock(&metrics.mutex);
	for (struct metric *m = metrics.list; m != NULL; m = m->next) {
		if (strcmp(m->name, last) != 0)
			fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name,
				types[m->type]);
		last = m->name;
		if (m->type == METRIC_HISTOGRAM)
			print_histogram(m, out);
		else if (m->labels != NULL)
			fprintf(out, "%s{%s} %" PRId64 "\n", m->name, m->labels,
				atomic_load(&m->value));
		else
			fprintf(out, "%s %" PRId64 "\n", m->name, atomic_load(&m->value));
	}
	pthread_mutex_unlock(&metrics.mutex);
}
