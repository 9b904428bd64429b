/*
 * boxes: two hashes of the same boxes; rendezvous knows on which node a box is.
 */
#include "dataplane/tunnel/boxes.h"

#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/relay/registry.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <stdio.h>
#include <string.h>

#define MOVED "the device is linked to another node"

struct boxes {
	struct dataplane *dataplane;
	const struct boxes_settings *settings;
	struct box *names, *ids;
};

struct boxes *boxes_create(struct dataplane *dataplane, const struct boxes_settings *settings)
{
	struct boxes *boxes = xcalloc(1, sizeof(*boxes));

	boxes->dataplane = dataplane;
	boxes->settings = settings;
	return boxes;
}

void boxes_destroy(struct boxes *boxes)
{
	free(boxes);
}

struct box *boxes_find(struct boxes *boxes, const char *name)
{
	struct box *box;

	HASH_FIND(by_name, boxes->names, name, strlen(name), box);
	return box;
}

struct box *boxes_find_id(struct boxes *boxes, const char *id)
{
	struct box *box;

	HASH_FIND(by_id, boxes->ids, id, strlen(id), box);
	return box;
}

/* ---- where it is ---- */

static void leave_names(struct box *box)
{
	if (box->moved)
		return;
	box->moved = true;
	HASH_DELETE(by_name, box->boxes->names, box);
	counter_add(COUNTER_TUNNELS, -1);
}

void boxes_end_moved(struct boxes *boxes, const char *id)
{
	struct box *box = boxes_find_id(boxes, id);

	if (box && box->retired)
		leave_names(box);
	else if (box)
		box->kind->close(box, MOVED);
}

static void on_announced(struct dataplane *dataplane, const struct registry_answer *answer)
{
	if (answer->err == ERR_ALREADY_EXISTS)
		boxes_end_moved(dataplane->boxes, answer->connection);
}

static void announce(struct box *box, bool replace)
{
	const struct registry_question question = {
		.tenant = box->tenant,
		.server = box->registration,
		.name = box->name,
		.connection = box->id,
		.replace = replace,
	};

	registry_announce(box->boxes->dataplane, &question, on_announced);
}

void boxes_announce(struct box *box)
{
	if (box->boxes && !box->moved)
		announce(box, false);
}

void boxes_add(struct boxes *boxes, struct box *box)
{
	struct box *old = boxes_find(boxes, box->name);

	if (old)
		old->kind->close(old, "the device came again");
	box->boxes = boxes;
	HASH_ADD(by_name, boxes->names, name, strlen(box->name), box);
	HASH_ADD(by_id, boxes->ids, id, strlen(box->id), box);
	counter_add(COUNTER_TUNNELS, 1);
	announce(box, true);
	log_info("tunnel_opened", "name=%s registration=%s device=%s connection=%s",
		log_value(box->name), box->registration, box->device, box->id);
}

void boxes_remove(struct box *box)
{
	struct boxes *boxes = box->boxes;

	if (!boxes)
		return;
	leave_names(box);
	HASH_DELETE(by_id, boxes->ids, box);
	box->boxes = NULL;
	registry_release(boxes->dataplane, box->tenant, box->registration, box->id);
	log_info("tunnel_closed", "name=%s registration=%s connection=%s", log_value(box->name),
		box->registration, box->id);
}

/* ---- visitors ---- */

struct relay_end *boxes_enter(struct box *box, const struct box_visitor *visitor)
{
	const struct boxes_settings *settings = box->boxes->settings;
	uint32_t rate = (uint32_t)settings->rate;

	if (box->n_places >= (unsigned)settings->streams ||
		!bucket_has(&box->rate, rate, rate, 1, clock_ms()))
		return NULL;
	bucket_take(&box->rate, 1);
	box->n_places++;
	return box->kind->enter(box, visitor);
}

void boxes_left(struct box *box)
{
	box->n_places--;
}

/* ---- what ends them ---- */

static void retire_some(struct boxes *boxes, unsigned n)
{
	for (struct box *box = boxes->ids; box && n > 0; box = box->by_id.next)
		if (box->kind->retire && !box->retired) {
			box->retired = true;
			box->kind->retire(box);
			n--;
		}
}

unsigned boxes_thin_out(struct boxes *boxes, unsigned step_ms, unsigned left_ms)
{
	unsigned n = 0, n_here = 0;
	struct box *box, *next;

	HASH_ITER(by_id, boxes->ids, box, next)
	{
		if (!box->kind->retire)
			continue;
		if (box->moved && box->n_places == 0) {
			box->kind->close(box, MOVED);
			continue;
		}
		n++;
		n_here += !box->retired;
	}
	left_ms /= 2;
	retire_some(boxes, left_ms > step_ms ? (n_here * step_ms + left_ms - 1) / left_ms : n_here);
	return n;
}

void boxes_end_registration(struct boxes *boxes, const char *registration, const char *reason)
{
	struct box *box, *next;

	HASH_ITER(by_id, boxes->ids, box, next)
	if (strcmp(box->registration, registration) == 0)
		box->kind->close(box, reason);
}

static bool is_of(const struct box *box, const char *subject)
{
	const char *id = strchr(subject, ':');

	if (!id)
		return false;
	if (strncmp(subject, "device:", strlen("device:")) == 0)
		return strcmp(box->device, id + 1) == 0;
	return strncmp(subject, "tenant:", strlen("tenant:")) == 0 &&
	       strcmp(box->tenant, id + 1) == 0;
}

void boxes_end_subject(struct boxes *boxes, const char *subject, int64_t not_before)
{
	struct box *box, *next;

	HASH_ITER(by_id, boxes->ids, box, next)
	if (is_of(box, subject) && box->admitted_s < not_before)
		box->kind->close(box, "its holder was blocked");
}
