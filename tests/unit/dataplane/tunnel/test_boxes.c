/*
 * boxes: under which names devices are found, in particular while their node is about to stop. The
 * links are only noted here, and what rendezvous is told too.
 */
#include "dataplane/tunnel/boxes.h"

#include "dataplane/relay/registry.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define N 8

/* ---- what rendezvous hears ---- */

static unsigned n_announced, n_released;

void registry_announce(
	struct dataplane *dataplane, const struct registry_question *question, registry_done *done)
{
	(void)dataplane;
	(void)question;
	(void)done;
	n_announced++;
}

void registry_release(
	struct dataplane *dataplane, const char *tenant, const char *server, const char *connection)
{
	(void)dataplane;
	(void)tenant;
	(void)server;
	(void)connection;
	n_released++;
}

/* ---- links ---- */

static unsigned n_retired, n_closed;

static struct relay_end *on_enter(struct box *box, const struct box_visitor *visitor)
{
	static struct relay_end end;

	(void)box;
	(void)visitor;
	return &end;
}

static void on_retire(struct box *box)
{
	(void)box;
	n_retired++;
}

static void on_close(struct box *box, const char *reason)
{
	(void)reason;
	boxes_remove(box);
	n_closed++;
}

static const struct box_kind kind = { .enter = on_enter, .retire = on_retire, .close = on_close },
			     deaf = { .enter = on_enter, .close = on_close };

static const struct boxes_settings settings = { .streams = 10, .rate = 10 };
static struct boxes *boxes;
static struct box links[N];

static void setup(void)
{
	boxes = boxes_create(NULL, &settings);
	for (int i = 0; i < N; i++) {
		links[i] = (struct box){ .kind = &kind };
		snprintf(links[i].name, sizeof(links[i].name), "n%d.box.example", i);
		snprintf(links[i].id, sizeof(links[i].id), "connection-%d", i);
		snprintf(links[i].registration, sizeof(links[i].registration), "r%d", i);
		boxes_add(boxes, &links[i]);
	}
}

static void teardown(void)
{
	for (int i = 0; i < N; i++)
		boxes_remove(&links[i]);
	boxes_destroy(boxes);
}

TestSuite(boxes, .init = setup, .fini = teardown);

Test(boxes, a_device_that_is_elsewhere_ends_here)
{
	boxes_end_moved(boxes, links[0].id);
	cr_assert_eq(n_closed, 1);
	cr_assert_null(boxes_find(boxes, links[0].name));
	cr_assert_null(boxes_find_id(boxes, links[0].id));
}

Test(boxes, all_are_asked_once_by_half_of_the_time)
{
	for (unsigned left_ms = 1600; left_ms > 800; left_ms -= 100) {
		cr_assert_eq(boxes_thin_out(boxes, 100, left_ms), N);
		cr_assert_leq(n_retired, N);
	}
	cr_assert_eq(n_retired, N);
	cr_assert_eq(n_closed, 0);
}

Test(boxes, what_can_not_be_asked_is_not_waited_for)
{
	for (int i = 0; i < N; i++)
		links[i].kind = &deaf;
	cr_assert_eq(boxes_thin_out(boxes, 100, 0), 0);
	cr_assert_eq(n_closed, 0);
}

Test(boxes, one_that_has_moved_goes_on_for_its_visitors)
{
	const struct box_visitor visitor = { .kind = MUX_TLS };

	boxes_thin_out(boxes, 100, 0);
	boxes_enter(&links[0], &visitor);
	for (int i = 0; i < N; i++)
		boxes_end_moved(boxes, links[i].id);
	cr_assert_eq(n_closed, 0);
	cr_assert_null(boxes_find(boxes, links[0].name), "new visitors go to the other node");
	cr_assert_eq(boxes_find_id(boxes, links[0].id), &links[0], "but for those on their way");
	cr_assert_eq(boxes_thin_out(boxes, 100, 1000), 1);
	cr_assert_eq(n_closed, N - 1, "those without visitors end");
	n_announced = 0;
	boxes_announce(&links[0]);
	cr_assert_eq(n_announced, 0, "it says no more that it is here");
	boxes_left(&links[0]);
	cr_assert_eq(boxes_thin_out(boxes, 100, 1000), 0);
	cr_assert_eq(n_released, N);
}

Test(boxes, one_that_has_moved_is_cut_off_with_its_name)
{
	boxes_thin_out(boxes, 100, 0);
	boxes_end_moved(boxes, links[3].id);
	boxes_end_registration(boxes, "r3", "given up");
	cr_assert_eq(n_closed, 1);
	cr_assert_null(boxes_find_id(boxes, links[3].id));
}
