/* reply: any bytes as the portal's answers. What is taken must be what an interface can be given.
 */
#include "agents/reply.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct attachment attachment;
	struct fault fault;

	(void)reply_problem(400, (const char *)data, len, &fault);
	if (reply_attachment(&attachment, (const char *)data, len, &fault) != OK)
		return 0;
	if (strpbrk(attachment.authorization + strlen("Bearer "), " \r\n") != NULL || attachment.n_urls < 1 ||
		attachment.n_urls > REPLY_URLS_MAX || (attachment.mac[0] & 1) != 0 ||
		attachment.mtu < 1280 || attachment.ipv4.prefix_len > 32 ||
		attachment.ipv6.prefix_len > 128)
		abort();
	return 0;
}
