/* gather: see gather.h. */
#include "gateway/gather.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "proto/dataplane.pb-c.h"

#include <stdlib.h>
#include <string.h>

#define GATHER_MS 2000

err_t gather(struct call *call, const char *rpc, const ProtobufCMessage *message,
	struct bus_answer **answers, size_t *n)
{
	int64_t until_ms = clock_ms() + GATHER_MS;
	err_t err;

	if (call->deadline_ms > until_ms)
		call->deadline_ms = until_ms;
	err = bus_call_each(call, &dataplane__dataplane__descriptor, rpc, message, answers, n);
	for (size_t i = 0; err == OK && i < *n; i++)
		if ((*answers)[i].err != OK && (*answers)[i].err != ERR_NOT_FOUND)
			LOG_THROTTLED(LOG_LEVEL_WARN, "node_silent", "node=%s error=%s",
				(*answers)[i].instance, err_name((*answers)[i].err));
	return err;
}

/* ---- lists ---- */

static const ProtobufCFieldDescriptor *field_of(
	const ProtobufCMessageDescriptor *descriptor, const char *name)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(descriptor, name);

	if (field == NULL)
		BUG("%s has no %s", descriptor->name, name);
	return field;
}

static void *member_of(const ProtobufCMessage *message, unsigned offset)
{
	return (char *)message + offset;
}

static char *id_of(const ProtobufCMessage *item)
{
	return *(char **)member_of(item, field_of(item->descriptor, "id")->offset);
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(id_of(*(ProtobufCMessage *const *)a), id_of(*(ProtobufCMessage *const *)b));
}

void gather_list(struct call *call, const struct bus_answer *answers, size_t n, size_t limit,
	ProtobufCMessage *list)
{
	const ProtobufCFieldDescriptor *items = field_of(list->descriptor, "items");
	char **cursor = member_of(list, field_of(list->descriptor, "next_cursor")->offset);
	size_t *n_all = member_of(list, items->quantifier_offset);
	ProtobufCMessage **all;
	size_t n_given = 0;

	for (size_t i = 0; i < n; i++)
		if (answers[i].err == OK)
			n_given += *(size_t *)member_of(answers[i].reply, items->quantifier_offset);
	all = arena_alloc(call->arena, (n_given + 1) * sizeof(*all));
	*(ProtobufCMessage ***)member_of(list, items->offset) = all;
	for (size_t i = 0; i < n; i++) {
		size_t n_items;

		if (answers[i].err != OK)
			continue;
		n_items = *(size_t *)member_of(answers[i].reply, items->quantifier_offset);
		if (n_items > 0)
			memcpy(all + *n_all, *(void **)member_of(answers[i].reply, items->offset),
				n_items * sizeof(*all));
		*n_all += n_items;
	}
	qsort(all, *n_all, sizeof(*all), compare_ids);
	if (*n_all > limit) {
		*n_all = limit;
		*cursor = id_of(all[limit - 1]);
	}
}
