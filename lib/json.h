/*
 * json: protobuf messages as JSON and back, by reflection over their descriptors: the only way in
 * which JSON of the API is read or made. The only code that sees jansson, but for token.c's key
 * sets.
 *
 * A member of the object has the name of its field; numbers, bools, strings, arrays and objects are
 * what they are. The one member x of a `oneof set_x` is there or absent; every other field is
 * always written, and may be left out when reading. Any thread; memory is in the arena given.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"

#include <protobuf-c/protobuf-c.h>

#include <stddef.h>

#define JSON_STRING_MAX 4096 /* bytes of one string that is read */

/*
 * Reads one JSON object into `message`, which is initialised (or partly filled) and whose strings
 * and arrays are made in the call's arena. Refused, with call->fault naming the field: what is no
 * JSON, a duplicate key, invalid UTF-8, an embedded NUL, an over-long string, a wrong type, a
 * number out of range, and a member that is no field of the message or stands in the
 * NULL-terminated list `except`.
 */
err_t json_read(struct call *call, const char *text, size_t len, const char *const except[],
	ProtobufCMessage *message) MUST_CHECK;

/* Sets the field `name` from the text of a path or query parameter. A field that the message has
 * not, or that holds more than one value, is refused as unknown. */
err_t json_read_parameter(struct call *call, const char *name, const char *text,
	ProtobufCMessage *message) MUST_CHECK;

/* Refuses a name from outside, and tells it back as the fault's field if it is a plain one. */
err_t json_refuse_unknown(struct call *call, const char *name);

/* The message as compact JSON text; `len` may be NULL. Bytes that are not UTF-8 become '?'. */
char *json_write(struct arena *arena, const ProtobufCMessage *message, size_t *len);

/* One text as JSON, with its quotes, for what no message can say: members without a fixed name. */
char *json_text(struct arena *arena, const char *text);

/* Where the message's field of that name is: a pointer into the message, NULL if it has no such
 * field of that type. The caller knows the C type that goes with `type`. */
void *json_field(const ProtobufCMessage *message, const char *name, ProtobufCType type);
