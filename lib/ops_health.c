/* ops_health: one HTTP request over a socket; the ops port's answers are a head and one line. */
#include "lib/ops_health.h"

#include "lib/endpoint.h"
#include "lib/mem.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_S 3

static const char request[] = "GET /readyz HTTP/1.0\r\n\r\n";

static err_t complain(const char *listen, const char *problem)
{
	fprintf(stderr, "LANYARD_OPS_LISTEN=%s: %.*s\n", listen, (int)strcspn(problem, "\n"),
		problem);
	return ERR_UNAVAILABLE;
}

static in_port_t port_of(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
					      : ((const struct sockaddr_in *)address)->sin_port;
}

/* A connection that neither sends nor waits for long; -1 and errno. */
static int dial(const struct sockaddr_storage *address)
{
	struct timeval limit = { .tv_sec = TIMEOUT_S };
	socklen_t len = address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						       : sizeof(struct sockaddr_in);
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
		connect(fd, (const struct sockaddr *)address, len) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The whole answer as text, up to `size`. */
static bool converse(int fd, char *answer, size_t size)
{
	size_t len = 0;
	ssize_t n;

	if (send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
		return false;
	while (len < size - 1 && (n = recv(fd, answer + len, size - 1 - len, 0)) > 0)
		len += (size_t)n;
	answer[len] = '\0';
	return len > 0;
}

err_t ops_health(const char *listen)
{
	struct sockaddr_storage address;
	char answer[2048];
	const char *body;
	bool answered;
	int fd;

	if (endpoint_parse(listen, &address) != OK || port_of(&address) == 0)
		return complain(listen, "a port that is known is needed to ask on");
	fd = dial(&address);
	if (fd < 0)
		return complain(listen, strerror(errno));
	answered = converse(fd, answer, sizeof(answer));
	close(fd);
	body = answered ? strstr(answer, "\r\n\r\n") : NULL;
	if (body == NULL || strncmp(answer, "HTTP/1.", strlen("HTTP/1.")) != 0)
		return complain(listen, "no answer in time");
	if (strncmp(answer + strlen("HTTP/1.x"), " 200 ", strlen(" 200 ")) != 0)
		return complain(listen, body + 4);
	fputs(body + 4, stdout);
	return OK;
}
