/*
 * socket: see socket.h.
 */
#include "dataplane/net/socket.h"

#include "lib/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define DEAD_MS	    30000 /* unacknowledged or unread for so long: the peer is gone */
#define KEEPALIVE_S 15
#define NOTSENT_LOW (16 * 1024) /* the kernel wants more when it has less unsent than this */

static const struct option {
	int level, name, value;
} options[] = {
	{ IPPROTO_TCP, TCP_NODELAY, 1 },
	{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOTSENT_LOW },
	/* Old clients answer no pings, so that TCP itself has to find out that a peer is dead. */
	{ IPPROTO_TCP, TCP_USER_TIMEOUT, DEAD_MS },
	{ SOL_SOCKET, SO_KEEPALIVE, 1 },
	{ IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S },
	{ IPPROTO_TCP, TCP_KEEPINTVL, 5 },
	{ IPPROTO_TCP, TCP_KEEPCNT, 3 },
};

static bool is_unix(int fd)
{
	int domain = AF_UNSPEC;
	socklen_t len = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX;
}

void socket_tune(int fd)
{
	if (is_unix(fd))
		return;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			    sizeof(options[i].value)) != 0)
			LOG_THROTTLED(LOG_LEVEL_WARN, "socket_option",
				"level=%d name=%d cause=\"%s\"", options[i].level, options[i].name,
				strerror(errno));
}

static void get_end(
	int fd, int (*get)(int, struct sockaddr *, socklen_t *), struct sockaddr_storage *out)
{
	socklen_t len = sizeof(*out);

	memset(out, 0, sizeof(*out));
	if (get(fd, (struct sockaddr *)out, &len) != 0)
		out->ss_family = AF_UNSPEC;
}

void socket_ends(int fd, struct proxy_ends *ends)
{
	get_end(fd, getpeername, &ends->client);
	get_end(fd, getsockname, &ends->server);
}

void socket_text(const struct sockaddr_storage *address, char text[STREAM_ADDRESS_LEN])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	*text = '\0';
	if (address->ss_family == AF_UNIX)
		snprintf(text, STREAM_ADDRESS_LEN, "unix");
	else if (address->ss_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, text, STREAM_ADDRESS_LEN);
	else if (address->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text, STREAM_ADDRESS_LEN);
	else if (address->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, text, STREAM_ADDRESS_LEN);
}

bool socket_map(const struct sockaddr_storage *address, uint8_t out[16])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	memset(out, 0, 16);
	if (address->ss_family == AF_INET6)
		memcpy(out, &v6->sin6_addr, 16);
	if (address->ss_family != AF_INET)
		return address->ss_family == AF_INET6;
	memset(out + 10, 0xff, 2);
	memcpy(out + 12, &v4->sin_addr, 4);
	return true;
}

const char *socket_failure(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error == 0)
		return "the connection broke";
	return strerror(error);
}

void socket_path(int fd, struct stream_path *path)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	int unsent = 0;

	*path = (struct stream_path){ 0 };
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return;
	path->rtt_us = info.tcpi_rtt;
	path->n_retransmitted = info.tcpi_total_retrans;
	if (ioctl(fd, SIOCOUTQNSD, &unsent) == 0)
		path->unsent = (unsigned)unsent;
}
