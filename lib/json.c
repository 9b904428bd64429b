/* json: protobuf messages as JSON and back, by reflection. Any thread; no state. */
#include "lib/json.h"

#include "lib/utf8.h"

#include <jansson.h>

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- fields ---- */

/* What an integer type of protobuf holds; size 0: the type is no integer. */
struct integer {
	size_t size;
	int64_t min;
	uint64_t max;
};

static const struct integer integers[] = {
	[PROTOBUF_C_TYPE_INT32] = { sizeof(int32_t), INT32_MIN, INT32_MAX },
	[PROTOBUF_C_TYPE_UINT32] = { sizeof(uint32_t), 0, UINT32_MAX },
	[PROTOBUF_C_TYPE_INT64] = { sizeof(int64_t), INT64_MIN, INT64_MAX },
	[PROTOBUF_C_TYPE_UINT64] = { sizeof(uint64_t), 0, UINT64_MAX },
	[PROTOBUF_C_TYPE_MESSAGE] = { 0, 0, 0 },
};

static void integer_store(void *slot, size_t size, uint64_t value)
{
	if (size == sizeof(uint32_t))
		*(uint32_t *)slot = (uint32_t)value;
	else
		*(uint64_t *)slot = value;
}

static void *field_at(const ProtobufCMessage *message, unsigned offset)
{
	return (char *)(uintptr_t)message + offset;
}

static bool field_is_oneof(const ProtobufCFieldDescriptor *field)
{
	return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

static size_t field_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	default:
		if (field->type < ARRAY_LEN(integers) && integers[field->type].size != 0)
			return integers[field->type].size;
		BUG("field %s has a type that JSON does not get", field->name);
	}
}

static const ProtobufCFieldDescriptor *field_find(
	const ProtobufCMessage *message, const char *name, const char *const except[])
{
	for (; except != NULL && *except != NULL; except++)
		if (strcmp(*except, name) == 0)
			return NULL;
	return protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
}

void *json_field(const ProtobufCMessage *message, const char *name, ProtobufCType type)
{
	const ProtobufCFieldDescriptor *field = field_find(message, name, NULL);

	if (field == NULL || field->type != type || field->label == PROTOBUF_C_LABEL_REPEATED)
		return NULL;
	return field_at(message, field->offset);
}

/* ---- reading ---- */

/* One reading: the call for its arena and fault, and the names that are not taken at the top. */
struct reader {
	struct call *call;
	const char *const *except;
};

static err_t wrong_type(struct call *call, const ProtobufCFieldDescriptor *field)
{
	const struct integer *integer = &integers[field->type];

	if (field->type == PROTOBUF_C_TYPE_STRING)
		return call_refuse(call, ERR_INVALID_ARGUMENT, field->name, "expected a string");
	if (field->type == PROTOBUF_C_TYPE_BOOL)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, field->name, "expected true or false");
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return call_refuse(call, ERR_INVALID_ARGUMENT, field->name, "expected an object");
	return call_refuse(call, ERR_INVALID_ARGUMENT, field->name,
		"expected a whole number from %" PRId64 " to %" PRIu64, integer->min, integer->max);
}

err_t json_refuse_unknown(struct call *call, const char *name)
{
	size_t len = strlen(name);
	bool plain = len < sizeof(call->fault.field) &&
		     strspn(name, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == len;

	return call_refuse(
		call, ERR_INVALID_ARGUMENT, plain ? name : "", "there is no such field here");
}

static err_t string_store(struct call *call, const ProtobufCFieldDescriptor *field,
	const char *text, size_t len, void *slot)
{
	if (len > JSON_STRING_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, field->name,
			"expected at most %d bytes", JSON_STRING_MAX);
	*(char **)slot = arena_strndup(call->arena, text, len);
	return OK;
}

static err_t integer_read(
	struct call *call, const ProtobufCFieldDescriptor *field, const json_t *value, void *slot)
{
	const struct integer *integer = &integers[field->type];
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < integer->min ||
		(number > 0 && (uint64_t)number > integer->max))
		return wrong_type(call, field);
	integer_store(slot, integer->size, (uint64_t)number);
	return OK;
}

static err_t object_read(struct reader *reader, json_t *object, ProtobufCMessage *message);

static err_t message_read(
	struct reader *reader, const ProtobufCFieldDescriptor *field, json_t *value, void *slot)
{
	const ProtobufCMessageDescriptor *descriptor = field->descriptor;
	struct reader inner = { .call = reader->call };
	ProtobufCMessage *message;

	if (!json_is_object(value))
		return wrong_type(reader->call, field);
	message = arena_alloc(reader->call->arena, descriptor->sizeof_message);
	descriptor->message_init(message);
	*(ProtobufCMessage **)slot = message;
	return object_read(&inner, value, message);
}

static err_t value_read(
	struct reader *reader, const ProtobufCFieldDescriptor *field, json_t *value, void *slot)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		if (!json_is_string(value))
			return wrong_type(reader->call, field);
		return string_store(reader->call, field, json_string_value(value),
			json_string_length(value), slot);
	case PROTOBUF_C_TYPE_BOOL:
		if (!json_is_boolean(value))
			return wrong_type(reader->call, field);
		*(protobuf_c_boolean *)slot = json_is_true(value);
		return OK;
	case PROTOBUF_C_TYPE_MESSAGE:
		return message_read(reader, field, value, slot);
	default:
		return integer_read(reader->call, field, value, slot);
	}
}

static err_t array_read(struct reader *reader, const ProtobufCFieldDescriptor *field, json_t *array,
	ProtobufCMessage *message)
{
	size_t size = field_size(field);
	size_t n = json_array_size(array);
	char *slots;

	if (!json_is_array(array))
		return call_refuse(
			reader->call, ERR_INVALID_ARGUMENT, field->name, "expected an array");
	slots = arena_alloc(reader->call->arena, n * size);
	for (size_t i = 0; i < n; i++) {
		err_t err = value_read(reader, field, json_array_get(array, i), slots + i * size);

		if (err != OK)
			return err;
	}
	*(size_t *)field_at(message, field->quantifier_offset) = n;
	*(void **)field_at(message, field->offset) = slots;
	return OK;
}

static err_t member_read(struct reader *reader, const ProtobufCFieldDescriptor *field,
	json_t *value, ProtobufCMessage *message)
{
	(void)field_size(field); /* a type that JSON does not get is found here */
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return array_read(reader, field, value, message);
	if (field_is_oneof(field))
		*(uint32_t *)field_at(message, field->quantifier_offset) = field->id;
	return value_read(reader, field, value, field_at(message, field->offset));
}

static err_t object_read(struct reader *reader, json_t *object, ProtobufCMessage *message)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		const ProtobufCFieldDescriptor *field = field_find(message, name, reader->except);
		err_t err = field != NULL ? member_read(reader, field, value, message)
					  : json_refuse_unknown(reader->call, name);

		if (err != OK)
			return err;
	}
	return OK;
}

static err_t wrong_json(struct call *call, const json_error_t *error)
{
	const char *what = "expected JSON";

	switch (json_error_code(error)) {
	case json_error_duplicate_key:
		what = "expected each key once";
		break;
	case json_error_invalid_utf8:
		what = "expected UTF-8";
		break;
	case json_error_null_character:
	case json_error_null_byte_in_key:
		what = "expected text without NUL";
		break;
	case json_error_stack_overflow:
		what = "expected less depth";
		break;
	case json_error_numeric_overflow:
		what = "expected a smaller number";
		break;
	default:
		break;
	}
	return call_refuse(call, ERR_INVALID_ARGUMENT, "", "%s, at line %d, column %d", what,
		error->line, error->column);
}

err_t json_read(struct call *call, const char *text, size_t len, const char *const except[],
	ProtobufCMessage *message)
{
	struct reader reader = { .call = call, .except = except };
	json_error_t error;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	err_t err;

	if (root == NULL)
		return wrong_json(call, &error);
	if (json_is_object(root))
		err = object_read(&reader, root, message);
	else
		err = call_refuse(call, ERR_INVALID_ARGUMENT, "", "expected a JSON object");
	json_decref(root);
	return err;
}

static err_t integer_parse(
	struct call *call, const ProtobufCFieldDescriptor *field, const char *text, void *slot)
{
	const struct integer *integer = &integers[field->type];
	size_t n_digits = strspn(text, "0123456789");
	uint64_t number;

	errno = 0;
	number = strtoull(text, NULL, 10);
	if (n_digits == 0 || text[n_digits] != '\0' || errno != 0 || number > integer->max)
		return wrong_type(call, field);
	integer_store(slot, integer->size, number);
	return OK;
}

err_t json_read_parameter(
	struct call *call, const char *name, const char *text, ProtobufCMessage *message)
{
	const ProtobufCFieldDescriptor *field = field_find(message, name, NULL);
	void *slot;

	if (field == NULL || field->label == PROTOBUF_C_LABEL_REPEATED || field_is_oneof(field) ||
		field->type == PROTOBUF_C_TYPE_MESSAGE)
		return json_refuse_unknown(call, name);
	slot = field_at(message, field->offset);
	if (field->type == PROTOBUF_C_TYPE_STRING)
		return string_store(call, field, text, strlen(text), slot);
	if (field->type != PROTOBUF_C_TYPE_BOOL)
		return integer_parse(call, field, text, slot);
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return wrong_type(call, field);
	*(protobuf_c_boolean *)slot = text[0] == 't';
	return OK;
}

/* ---- writing ---- */

/* Text that is being made. The first pass has no memory and only counts, the second one writes. */
struct writer {
	char *text;
	size_t len;
};

static void put(struct writer *writer, const char *bytes, size_t len)
{
	if (writer->text != NULL)
		memcpy(writer->text + writer->len, bytes, len);
	writer->len += len;
}

static void put_char(struct writer *writer, char c)
{
	put(writer, &c, 1);
}

static void put_escaped(struct writer *writer, char c)
{
	static const char from[] = "\"\\\b\f\n\r\t";
	static const char to[] = "\"\\bfnrt";
	const char *found = strchr(from, c);
	char text[7];

	if (found != NULL)
		snprintf(text, sizeof(text), "\\%c", to[found - from]);
	else
		snprintf(text, sizeof(text), "\\u%04x", (unsigned char)c);
	put(writer, text, strlen(text));
}

/* Most text is ASCII, which needs no closer look. */
static bool is_utf8(const char *text)
{
	while ((unsigned char)*text - 1u < 0x7f)
		text++;
	return utf8_valid((const uint8_t *)text, strlen(text));
}

static void put_string(struct writer *writer, const char *text)
{
	bool utf8 = is_utf8(text);
	const char *plain = text; /* start of what needs no change */
	const char *c;

	put_char(writer, '"');
	for (c = text; *c != '\0'; c++) {
		bool foreign = (unsigned char)*c >= 0x80 && !utf8;

		if ((unsigned char)*c >= 0x20 && *c != '"' && *c != '\\' && *c != 0x7f && !foreign)
			continue;
		put(writer, plain, (size_t)(c - plain));
		if (foreign)
			put_char(writer, '?');
		else
			put_escaped(writer, *c);
		plain = c + 1;
	}
	put(writer, plain, (size_t)(c - plain));
	put_char(writer, '"');
}

static void put_integer(
	struct writer *writer, const ProtobufCFieldDescriptor *field, const void *slot)
{
	char text[24];
	int len;

	if (field->type == PROTOBUF_C_TYPE_INT32)
		len = snprintf(text, sizeof(text), "%" PRId32, *(const int32_t *)slot);
	else if (field->type == PROTOBUF_C_TYPE_UINT32)
		len = snprintf(text, sizeof(text), "%" PRIu32, *(const uint32_t *)slot);
	else if (field->type == PROTOBUF_C_TYPE_INT64)
		len = snprintf(text, sizeof(text), "%" PRId64, *(const int64_t *)slot);
	else
		len = snprintf(text, sizeof(text), "%" PRIu64, *(const uint64_t *)slot);
	put(writer, text, (size_t)len);
}

static void put_message(struct writer *writer, const ProtobufCMessage *message);

static void put_value(
	struct writer *writer, const ProtobufCFieldDescriptor *field, const void *slot)
{
	const ProtobufCMessage *message;
	const char *text;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		text = *(const char *const *)slot;
		put_string(writer, text != NULL ? text : "");
		break;
	case PROTOBUF_C_TYPE_BOOL:
		text = *(const protobuf_c_boolean *)slot ? "true" : "false";
		put(writer, text, strlen(text));
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		message = *(const ProtobufCMessage *const *)slot;
		if (message != NULL)
			put_message(writer, message);
		else
			put(writer, "null", 4);
		break;
	default:
		put_integer(writer, field, slot);
	}
}

static void put_array(struct writer *writer, const ProtobufCFieldDescriptor *field,
	const ProtobufCMessage *message)
{
	size_t n = *(const size_t *)field_at(message, field->quantifier_offset);
	const char *slots = *(char *const *)field_at(message, field->offset);

	put_char(writer, '[');
	for (size_t i = 0; i < n; i++) {
		if (i != 0)
			put_char(writer, ',');
		put_value(writer, field, slots + i * field_size(field));
	}
	put_char(writer, ']');
}

static bool is_absent(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	return field_is_oneof(field) &&
	       *(const uint32_t *)field_at(message, field->quantifier_offset) != field->id;
}

static void put_message(struct writer *writer, const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;
	char before = '{';

	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

		if (is_absent(field, message))
			continue;
		put_char(writer, before);
		before = ',';
		put_char(writer, '"');
		put(writer, field->name, strlen(field->name));
		put(writer, "\":", 2);
		if (field->label == PROTOBUF_C_LABEL_REPEATED)
			put_array(writer, field, message);
		else
			put_value(writer, field, field_at(message, field->offset));
	}
	if (before == '{')
		put_char(writer, '{');
	put_char(writer, '}');
}

char *json_write(struct arena *arena, const ProtobufCMessage *message, size_t *len)
{
	struct writer writer = { NULL, 0 };

	put_message(&writer, message);
	writer.text = arena_alloc(arena, writer.len + 1);
	writer.len = 0;
	put_message(&writer, message);
	if (len != NULL)
		*len = writer.len;
	return writer.text;
}

char *json_text(struct arena *arena, const char *text)
{
	struct writer writer = { NULL, 0 };

	put_string(&writer, text);
	writer.text = arena_alloc(arena, writer.len + 1);
	writer.len = 0;
	put_string(&writer, text);
	return writer.text;
}
