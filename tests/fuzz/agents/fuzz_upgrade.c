/* upgrade: any bytes as a node's reply to the handshake, and where its redirection leads. */
#include "agents/upgrade.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct url from = {
		.scheme = "wss", .host = "node.example", .port = 443, .path = "/l2"
	};
	static const struct upgrade_request asked = { .key = "dGhlIHNhbXBsZSBub25jZQ==",
		.protocol = "lanyard.l2.v1" };
	struct upgrade upgrade;
	struct fault fault;
	struct url url;

	if (len > UPGRADE_HEAD_MAX)
		return 0;
	if (upgrade_read(&upgrade, (const char *)data, len, &asked, &fault) != OK)
		return 0;
	if (upgrade.head_len > len || upgrade.status > 999)
		abort();
	if (url_follow(&url, &from, upgrade.location, &fault) == OK &&
		strcasecmp(url.host, from.host) != 0)
		abort();
	return 0;
}
