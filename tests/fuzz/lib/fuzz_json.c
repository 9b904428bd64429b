/* json: any bytes as a body. What is accepted must come out as JSON that is read to the same again.
 */
#include "lib/json.h"

#include "proto/auth.pb-c.h"
#include "proto/dataplane.pb-c.h"
#include "proto/provision.pb-c.h"

#include <stdint.h>
#include <string.h>

static const ProtobufCMessageDescriptor *const descriptors[] = {
	&auth__create_enrolment_key_request__descriptor,
	&auth__update_user_request__descriptor,
	&auth__credential__descriptor,
	&provision__member_list__descriptor,
	&dataplane__drops__descriptor,
};

static ProtobufCMessage *message_new(
	struct call *call, const ProtobufCMessageDescriptor *descriptor)
{
	ProtobufCMessage *message = arena_alloc(call->arena, descriptor->sizeof_message);

	descriptor->message_init(message);
	return message;
}

static void there_and_back(struct call *call, const ProtobufCMessageDescriptor *descriptor,
	const ProtobufCMessage *message)
{
	ProtobufCMessage *again = message_new(call, descriptor);
	size_t len;
	char *text = json_write(call->arena, message, &len);

	if (json_read(call, text, len, NULL, again) != OK)
		BUG("%s is not read again: %s", text, call->fault.detail);
	if (strcmp(text, json_write(call->arena, again, NULL)) != 0)
		BUG("%s changed", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const except[] = { "id", NULL };

	for (size_t i = 0; i < ARRAY_LEN(descriptors); i++) {
		struct call call;
		ProtobufCMessage *message;

		call_init(&call, NULL, "", 1000);
		message = message_new(&call, descriptors[i]);
		if (json_read(&call, (const char *)data, len, except, message) == OK)
			there_and_back(&call, descriptors[i], message);
		call_finish(&call);
	}
	return 0;
}
