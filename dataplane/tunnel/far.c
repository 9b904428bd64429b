/*
 * far: "KIND HEX", the kind as a number and the header of PROXY protocol with the visitor's ends.
 */
#include "dataplane/tunnel/far.h"

#include "lib/mem.h"

#include <sodium.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(2 + 2 * PROXY_WRITE_MAX + 1 <= FAR_TEXT_MAX, "a text holds what is told");

void far_write(const struct box_visitor *visitor, char text[FAR_TEXT_MAX])
{
	uint8_t header[PROXY_WRITE_MAX];
	size_t len = proxy_write(&visitor->ends, header);

	snprintf(text, FAR_TEXT_MAX, "%d ", visitor->kind);
	sodium_bin2hex(text + 2, FAR_TEXT_MAX - 2, header, len);
}

static bool read_text(const char *text, struct box_visitor *visitor)
{
	uint8_t header[PROXY_WRITE_MAX];
	size_t len, taken;
	const char *why;

	if ((text[0] != '0' + MUX_TLS && text[0] != '0' + MUX_HTTP) || text[1] != ' ' ||
		sodium_hex2bin(
			header, sizeof(header), text + 2, strlen(text + 2), NULL, &len, NULL) != 0)
		return false;
	visitor->kind = (enum mux_kind)(text[0] - '0');
	return proxy_read(header, len, &taken, &visitor->ends, &why) == PROXY_READ && taken == len;
}

struct relay_end *far_enter(
	struct boxes *boxes, const char *connection, const char *text, const char *address)
{
	struct box_visitor visitor = { .address = address };
	struct box *box = boxes_find_id(boxes, connection);

	return box && read_text(text, &visitor) ? boxes_enter(box, &visitor) : NULL;
}
