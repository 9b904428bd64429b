/*
 * Any bytes from the proxy's socket: what is taken out of a packet is text that ends within its
 * bounds, and a status page made of it is JSON.
 */
#include "dataplane/vpnws/control.h"
#include "dataplane/vpnws/uwsgi.h"
#include "lib/mem.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_status(const struct uwsgi_request *request)
{
	const struct control_peer peer = {
		.id = 1, .address = request->address, .user = request->user, .dn = request->dn
	};
	AUTO_FREE char *reply = control_list(&peer, 1);
	json_t *parsed = json_loads(strchr(reply, '{'), JSON_REJECT_DUPLICATES, NULL);

	if (!parsed)
		abort();
	json_decref(parsed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t whole = uwsgi_packet_len(data, len);
	struct uwsgi_request request;
	AUTO_FREE uint8_t *packet = NULL;
	const char *field;
	uint32_t id;

	if (whole == 0 || whole > len)
		return 0;
	packet = xmalloc(whole); /* exactly as long, so that a byte read beyond is found */
	memcpy(packet, data, whole);
	if (uwsgi_parse(packet, whole, &request, &field) != OK)
		return 0;
	check_status(&request);
	control_is_kill(request.query, &id);
	return 0;
}
