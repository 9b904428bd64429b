/* db_rows: what PostgreSQL answered, as values and as messages; see db.h. */
#include "lib/db.h"

#include <libpq-fe.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const PGresult *as_result(const struct db_rows *rows)
{
	return (const PGresult *)rows;
}

size_t db_count(const struct db_rows *rows)
{
	return (size_t)PQntuples(as_result(rows));
}

const char *db_text(const struct db_rows *rows, size_t row, const char *column)
{
	int number = PQfnumber(as_result(rows), column);

	if (number < 0)
		BUG("no column %s", column);
	return PQgetvalue(as_result(rows), (int)row, number);
}

long long db_int(const struct db_rows *rows, size_t row, const char *column)
{
	return strtoll(db_text(rows, row, column), NULL, 10);
}

bool db_bool(const struct db_rows *rows, size_t row, const char *column)
{
	return db_text(rows, row, column)[0] == 't';
}

void db_rows_destroy_at(struct db_rows **slot)
{
	PQclear((PGresult *)*slot);
}

/* ---- rows into messages ---- */

/* Reads the next element of a text[] in PostgreSQL's array form, `{a,"b \" c"}`; NULL at the end.
 */
static const char *array_next(const char **at, struct arena *arena)
{
	const char *from = *at;
	char *out, *element;
	bool quoted;

	if (*from == '{' || *from == ',')
		from++;
	if (*from == '}' || *from == '\0')
		return NULL;
	out = element = arena_alloc(arena, strlen(from) + 1);
	quoted = *from == '"';
	if (quoted)
		from++;
	while (*from != '\0' && (quoted ? *from != '"' : *from != ',' && *from != '}')) {
		if (*from == '\\')
			from++;
		*out++ = *from++;
	}
	*at = quoted ? from + 1 : from;
	return element;
}

static void fill_array(struct arena *arena, const ProtobufCFieldDescriptor *field, void *member,
	size_t *quantity, const char *text)
{
	const char *element;
	char **list;

	if (field->type != PROTOBUF_C_TYPE_STRING)
		BUG("column %s: only text[] goes into a repeated field", field->name);
	list = arena_alloc(arena, (strlen(text) / 2 + 1) * sizeof(*list));
	*quantity = 0;
	while ((element = array_next(&text, arena)) != NULL)
		list[(*quantity)++] = (char *)(uintptr_t)element;
	*(char ***)member = list;
}

static void fill_field(struct arena *arena, const ProtobufCFieldDescriptor *field,
	ProtobufCMessage *message, const char *text)
{
	char *member = (char *)message + field->offset;

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		fill_array(arena, field, member,
			(size_t *)(void *)((char *)message + field->quantifier_offset), text);
		return;
	}
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		*(char **)(void *)member = arena_strdup(arena, text);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)(void *)member = text[0] == 't';
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
		*(int64_t *)(void *)member = strtoll(text, NULL, 10);
		break;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_UINT32:
		*(int32_t *)(void *)member = (int32_t)strtoll(text, NULL, 10);
		break;
	default:
		BUG("column %s: a type that rows can't fill", field->name);
	}
}

void db_message(
	const struct db_rows *rows, size_t row, struct arena *arena, ProtobufCMessage *message)
{
	const PGresult *result = as_result(rows);

	for (int column = 0; column < PQnfields(result); column++) {
		const ProtobufCFieldDescriptor *field =
			protobuf_c_message_descriptor_get_field_by_name(
				message->descriptor, PQfname(result, column));

		if (field != NULL)
			fill_field(arena, field, message, PQgetvalue(result, (int)row, column));
	}
}

err_t db_one(struct call *call, const struct db_statement *statement, ProtobufCMessage *message,
	const char *what, size_t n, const char *const params[])
{
	AUTO_ROWS rows = NULL;
	err_t err;

	if ((err = db_query(call, statement, &rows, n, params)) != OK)
		return err;
	if (db_count(rows) == 0)
		return call_refuse(call, ERR_NOT_FOUND, NULL, "no %s %s here", what,
			n > 1 && params[1] != NULL ? params[1] : "");
	db_message(rows, 0, call->arena, message);
	return OK;
}

unsigned db_page_limit(unsigned limit)
{
	return limit == 0 ? 50 : limit > 200 ? 200 : limit;
}

err_t db_page(struct call *call, const struct db_statement *statement, ProtobufCMessage *list,
	unsigned limit, size_t n, const char *const params[])
{
	const ProtobufCFieldDescriptor *items =
		protobuf_c_message_descriptor_get_field_by_name(list->descriptor, "items");
	const ProtobufCFieldDescriptor *next =
		protobuf_c_message_descriptor_get_field_by_name(list->descriptor, "next_cursor");
	size_t page = db_page_limit(limit), shown;
	AUTO_ROWS rows = NULL;
	ProtobufCMessage **messages;
	err_t err;

	if (items == NULL || next == NULL)
		BUG("%s is no page", list->descriptor->name);
	if ((err = db_query(call, statement, &rows, n, params)) != OK)
		return err;
	shown = db_count(rows) < page ? db_count(rows) : page;
	messages = arena_alloc(call->arena, (shown + 1) * sizeof(*messages));
	for (size_t i = 0; i < shown; i++) {
		const ProtobufCMessageDescriptor *kind = items->descriptor;

		messages[i] = arena_alloc(call->arena, kind->sizeof_message);
		protobuf_c_message_init(kind, messages[i]);
		db_message(rows, i, call->arena, messages[i]);
	}
	*(size_t *)(void *)((char *)list + items->quantifier_offset) = shown;
	*(ProtobufCMessage ***)(void *)((char *)list + items->offset) = messages;
	if (db_count(rows) > page)
		*(char **)(void *)((char *)list + next->offset) =
			arena_strdup(call->arena, db_text(rows, shown - 1, "id"));
	return OK;
}
