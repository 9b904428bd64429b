/* management: anything on the management socket, in two pieces; all texts stay texts. */
#include "agents/openvpn/management.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void on_event(void *context, const struct management_event *event)
{
	(void)context;
	if (strlen(event->username) >= sizeof(event->username) ||
		strlen(event->password) >= sizeof(event->password) ||
		strlen(event->address) >= sizeof(event->address) ||
		strlen(event->port) >= sizeof(event->port) || event->text == NULL)
		abort();
	if (event->serial[0] != '\0' && strspn(event->serial, "0123456789abcdef") != 32)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct management management;
	size_t first = len > 0 ? data[0] % len : 0;

	management_init(&management);
	management_take(&management, (const char *)data, first, on_event, NULL);
	management_take(&management, (const char *)data + first, len - first, on_event, NULL);
	return 0;
}
