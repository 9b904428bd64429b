/* oauth_form: a query or form of anybody, as it fills the requests of OAuth 2. */
#include "gateway/oauth/site.h"

#include "lib/utf8.h"
#include "proto/oauth.pb-c.h"

#include <string.h>

/* Whatever came, each text of the message is text. */
static void check(const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;

	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		const char *text;

		if (field->type != PROTOBUF_C_TYPE_STRING ||
			field->label == PROTOBUF_C_LABEL_REPEATED)
			continue;
		text = *(const char *const *)((const char *)message + field->offset);
		if (!utf8_valid((const uint8_t *)text, strlen(text)))
			BUG("%s was taken that is no UTF-8", field->name);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	Auth__AuthorizationRequest authorization = AUTH__AUTHORIZATION_REQUEST__INIT;
	Auth__TokenRequest token = AUTH__TOKEN_REQUEST__INIT;
	Auth__DeviceAuthorizationRequest device = AUTH__DEVICE_AUTHORIZATION_REQUEST__INIT;
	ProtobufCMessage *messages[] = { &authorization.base, &token.base, &device.base };
	struct call call;
	struct form form;

	call_init(&call, NULL, "", 1000);
	if (form_parse(&call, "form", (const char *)data, len, &form) == OK) {
		for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
			site_fill(&form, messages[i]);
			check(messages[i]);
		}
		if (strspn(site_escape(call.arena, authorization.state),
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
			    "%") != strlen(site_escape(call.arena, authorization.state)))
			BUG("a state would go back unescaped");
	}
	call_finish(&call);
	return 0;
}
