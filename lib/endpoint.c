/* endpoint: parsing of listening addresses. Any thread. */
#include "lib/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static err_t parse_port(const char *text, in_port_t *port)
{
	char *end;
	unsigned long value;

	if (text[0] < '0' || text[0] > '9')
		return ERR_INVALID_ARGUMENT;
	value = strtoul(text, &end, 10);
	if (*end != '\0' || value > 65535)
		return ERR_INVALID_ARGUMENT;
	*port = htons((in_port_t)value);
	return OK;
}

err_t endpoint_parse(const char *text, struct sockaddr_storage *address)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN];
	bool bracketed = text[0] == '[';
	size_t len;

	memset(address, 0, sizeof(*address));
	if (colon == NULL)
		return ERR_INVALID_ARGUMENT;
	len = (size_t)(colon - text);
	if (bracketed && (len < 2 || text[len - 1] != ']'))
		return ERR_INVALID_ARGUMENT;
	text += bracketed ? 1 : 0;
	len -= bracketed ? 2 : 0;
	if (len >= sizeof(host))
		return ERR_INVALID_ARGUMENT;
	memcpy(host, text, len);
	host[len] = '\0';
	if (bracketed) {
		v6->sin6_family = AF_INET6;
		if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
			return ERR_INVALID_ARGUMENT;
		return parse_port(colon + 1, &v6->sin6_port);
	}
	v4->sin_family = AF_INET;
	if (inet_pton(AF_INET, len == 0 ? "0.0.0.0" : host, &v4->sin_addr) != 1)
		return ERR_INVALID_ARGUMENT;
	return parse_port(colon + 1, &v4->sin_port);
}

err_t endpoint_parse_any(const char *text, struct sockaddr_storage *address, socklen_t *len)
{
	struct sockaddr_un *local = (struct sockaddr_un *)address;
	err_t err;

	if (text[0] != '/' && strchr(text, ':') != NULL) {
		err = endpoint_parse(text, address);
		*len = address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						      : sizeof(struct sockaddr_in);
		return err;
	}
	memset(address, 0, sizeof(*address));
	if (text[0] == '\0' || strlen(text) >= sizeof(local->sun_path))
		return ERR_INVALID_ARGUMENT;
	local->sun_family = AF_UNIX;
	strcpy(local->sun_path, text);
	*len = sizeof(*local);
	return OK;
}
