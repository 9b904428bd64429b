/* The Prometheus text: one HELP and TYPE a name, labels, cumulative buckets. */
#include "lib/metrics.h"
#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

static char *printed(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	metrics_print(out);
	fclose(out);
	return text;
}

Test(metrics, names_stand_together_and_are_explained_once)
{
	static struct metric b = { .name = "lanyard_b", .help = "B.", .type = METRIC_GAUGE };
	static struct metric a1 = { .name = "lanyard_a_total", .help = "A.", .labels = "k=\"1\"" };
	static struct metric a2 = { .name = "lanyard_a_total", .help = "A.", .labels = "k=\"2\"" };
	AUTO_FREE char *text = NULL;

	metric_register(&a1);
	metric_register(&b);
	metric_register(&a2);
	metric_register(&a1);
	metric_add(&a1, 3);
	metric_set(&b, -2);
	text = printed();
	cr_assert_str_eq(text, "# HELP lanyard_a_total A.\n# TYPE lanyard_a_total counter\n"
			       "lanyard_a_total{k=\"2\"} 0\nlanyard_a_total{k=\"1\"} 3\n"
			       "# HELP lanyard_b B.\n# TYPE lanyard_b gauge\nlanyard_b -2\n");
}

Test(metrics, buckets_are_cumulative)
{
	static struct metric h = { .name = "lanyard_s", .help = "S.", .type = METRIC_HISTOGRAM };
	AUTO_FREE char *text = NULL;

	metric_register(&h);
	metric_observe_ms(&h, 0.5);
	metric_observe_ms(&h, 3);
	metric_observe_ms(&h, 1e9);
	text = printed();
	cr_expect(strstr(text, "lanyard_s_bucket{le=\"0.0005\"} 1\n") != NULL, "%s", text);
	cr_expect(strstr(text, "lanyard_s_bucket{le=\"0.002\"} 1\n") != NULL, "%s", text);
	cr_expect(strstr(text, "lanyard_s_bucket{le=\"0.004\"} 2\n") != NULL, "%s", text);
	cr_expect(strstr(text, "lanyard_s_bucket{le=\"+Inf\"} 3\n") != NULL, "%s", text);
	cr_expect(strstr(text, "lanyard_s_count 3\n") != NULL, "%s", text);
}
