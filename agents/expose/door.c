/* door: see door.h. */
#include "agents/expose/door.h"

#include "agents/expose/visitor.h"

#include "lib/endpoint.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#define ANY_PORT     "127.0.0.1:0"
#define VISITORS_MAX 256
#define IDENTITIES   4

struct door {
	struct loop *loop;
	struct loop_watch listener;
	struct sockaddr_storage target;
	socklen_t target_len;
	char address[DOOR_TEXT_MAX];
	struct tls_identity *identities; /* of the server, which keeps them */
	struct tls_server *server;	 /* NULL: there is no certificate */
	struct visitor *visitors;
	unsigned n_visitors;
};

/* ---- visitors ---- */

static void on_ended(void *context, struct visitor *visitor)
{
	struct door *door = context;

	for (struct visitor **at = &door->visitors; *at != NULL; at = &(*at)->next)
		if (*at == visitor) {
			*at = visitor->next;
			break;
		}
	door->n_visitors--;
	visitor_destroy(visitor);
}

static void on_connection(void *context, uint32_t events)
{
	struct door *door = context;
	int fd = accept4(door->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct visitor *visitor;

	(void)events;
	if (fd < 0)
		return;
	if (door->server == NULL || door->n_visitors == VISITORS_MAX) {
		close(fd);
		return;
	}
	visitor = visitor_create(fd, &(struct visitor_options){ door->loop, door->server,
					     &door->target, door->target_len, door, on_ended });
	visitor->next = door->visitors;
	door->visitors = visitor;
	door->n_visitors++;
}

/* All of them, or those that still need the server. */
static void turn_away(struct door *door, bool all)
{
	struct visitor *next;

	for (struct visitor *visitor = door->visitors; visitor != NULL; visitor = next) {
		next = visitor->next;
		if (all || visitor_shakes_hands(visitor))
			on_ended(door, visitor);
	}
}

/* ---- the listener ---- */

/* How this machine reaches what listens there: a wildcard is the loopback. */
static void write_address(struct door *door, const struct sockaddr_storage *bound)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)bound;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)bound;
	char host[INET6_ADDRSTRLEN];

	if (bound->ss_family == AF_INET) {
		inet_ntop(AF_INET, &four->sin_addr, host, sizeof(host));
		snprintf(door->address, sizeof(door->address), "%s:%u",
			four->sin_addr.s_addr == INADDR_ANY ? "127.0.0.1" : host,
			ntohs(four->sin_port));
	} else {
		inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof(host));
		snprintf(door->address, sizeof(door->address), "[%s]:%u",
			IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr) ? "::1" : host,
			ntohs(six->sin6_port));
	}
}

static err_t listen_on(struct door *door, const char *text, struct fault *fault)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	int fd, one = 1;

	if (endpoint_parse(text, &address) != OK)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "listen",
			"%.60s: expected ADDRESS:PORT", text);
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 ||
		listen(fd, VISITORS_MAX) < 0) {
		fault_set(fault, ERR_UNAVAILABLE, "listen", "can't listen on %.60s: %m", text);
		if (fd >= 0)
			close(fd);
		return ERR_UNAVAILABLE;
	}
	getsockname(fd, (struct sockaddr *)&address, &len);
	write_address(door, &address);
	door->listener = (struct loop_watch){ fd, on_connection, door };
	loop_add(door->loop, &door->listener, EPOLLIN);
	return OK;
}

/* ---- life ---- */

err_t door_open(struct door **out, struct loop *loop, const char *listen, const char *target,
	struct fault *fault)
{
	struct door *door = xcalloc(1, sizeof(*door));
	err_t err;

	door->loop = loop;
	door->listener.fd = -1;
	if (endpoint_parse_any(target, &door->target, &door->target_len) != OK)
		err = fault_set(fault, ERR_INVALID_ARGUMENT, "target",
			"%.60s: expected ADDRESS:PORT or the path of a socket", target);
	else
		err = listen_on(door, listen != NULL ? listen : ANY_PORT, fault);
	if (err == OK)
		*out = door;
	else
		door_close(door);
	return err;
}

static void forget_identities(struct tls_identity *identities)
{
	for (size_t i = 0; identities != NULL && i < IDENTITIES; i++) {
		free((char *)(uintptr_t)identities[i].cert);
		free((char *)(uintptr_t)identities[i].key);
	}
	free(identities);
}

void door_close(struct door *door)
{
	if (door == NULL)
		return;
	turn_away(door, true);
	tls_server_destroy(door->server);
	forget_identities(door->identities);
	if (door->listener.fd >= 0) {
		loop_remove(door->loop, &door->listener);
		close(door->listener.fd);
	}
	free(door);
}

err_t door_show(
	struct door *door, const struct tls_identity *identities, size_t n, struct fault *fault)
{
	struct tls_identity *copies = xcalloc(IDENTITIES, sizeof(*copies));
	struct tls_server *server = NULL;
	err_t err = OK;

	if (n > IDENTITIES)
		BUG("%zu identities", n);
	for (size_t i = 0; i < n; i++)
		copies[i] = (struct tls_identity){ xstrdup(identities[i].cert),
			xstrdup(identities[i].key), NULL };
	if (n > 0)
		err = tls_server_create(&server,
			&(struct tls_server_options){ .identities = copies, .n_identities = n },
			fault);
	if (err != OK) {
		forget_identities(copies);
		return err;
	}
	turn_away(door, false);
	tls_server_destroy(door->server);
	forget_identities(door->identities);
	door->identities = copies;
	door->server = server;
	return OK;
}

const char *door_address(const struct door *door)
{
	return door->address;
}
