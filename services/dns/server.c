/*
 * server: listener and connections of the remote backend. The accepting thread and each
 * connection's share struct server: its mutex guards `fds`; all else is fixed once made.
 */
#include "services/dns/server.h"

#include "lib/log.h"
#include "lib/mem.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_MODE 0660 /* PowerDNS is another user of the same group */
#define LOOKS	    30

struct server {
	const struct remote *remote;
	struct sockaddr_un address;
	int listener;
	pthread_t acceptor;
	pthread_mutex_t mutex;
	pthread_cond_t changed;		 /* a connection ended */
	int fds[SERVER_CONNECTIONS_MAX]; /* -1: free */
};

struct connection {
	struct server *server;
	size_t slot;
	int fd;
	size_t used;
	char buf[SERVER_LINE_MAX];
};

/* ---- one connection ---- */

static bool send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool answer_line(struct connection *connection, const char *line, size_t len)
{
	AUTO_ARENA arena = arena_create();
	const char *answer = remote_answer(connection->server->remote, line, len, arena);

	answer = arena_printf(arena, "%s\n", answer);
	return send_all(connection->fd, answer, strlen(answer));
}

/* Answers every whole line in the buffer and moves what is left to its start. */
static bool answer_lines(struct connection *connection)
{
	char *line = connection->buf;
	size_t left = connection->used;
	char *end;

	while ((end = memchr(line, '\n', left)) != NULL) {
		if (!answer_line(connection, line, (size_t)(end - line)))
			return false;
		left -= (size_t)(end + 1 - line);
		line = end + 1;
	}
	memmove(connection->buf, line, left);
	connection->used = left;
	return true;
}

/* PowerDNS asks three times for an answer, each time as soon as it has the last one: to look a few
 * times, and let others run, costs less than to be woken by another processor. */
static ssize_t receive(struct connection *connection)
{
	char *at = connection->buf + connection->used;
	size_t room = sizeof(connection->buf) - connection->used;

	for (int i = 0; i < LOOKS; i++) {
		ssize_t n = recv(connection->fd, at, room, MSG_DONTWAIT);

		if (n >= 0 || errno != EAGAIN)
			return n;
		sched_yield();
	}
	return recv(connection->fd, at, room, 0);
}

static void serve(struct connection *connection)
{
	ssize_t n;

	do {
		if (connection->used == sizeof(connection->buf)) {
			LOG_THROTTLED(
				LOG_LEVEL_WARN, "dns_line_too_long", "limit=%d", SERVER_LINE_MAX);
			return;
		}
		n = receive(connection);
		if (n > 0)
			connection->used += (size_t)n;
	} while (n > 0 ? answer_lines(connection) : n < 0 && errno == EINTR);
}

static void *run_connection(void *arg)
{
	struct connection *connection = arg;
	struct server *server = connection->server;

	serve(connection);
	pthread_mutex_lock(&server->mutex);
	close(connection->fd);
	server->fds[connection->slot] = -1;
	pthread_cond_signal(&server->changed);
	pthread_mutex_unlock(&server->mutex);
	free(connection);
	return NULL;
}

/* ---- accepting ---- */

static size_t take_slot(struct server *server, int fd)
{
	size_t slot = 0;

	pthread_mutex_lock(&server->mutex);
	while (slot < SERVER_CONNECTIONS_MAX && server->fds[slot] >= 0)
		slot++;
	if (slot < SERVER_CONNECTIONS_MAX)
		server->fds[slot] = fd;
	pthread_mutex_unlock(&server->mutex);
	return slot;
}

static void start_connection(struct server *server, int fd)
{
	struct connection *connection;
	size_t slot = take_slot(server, fd);
	pthread_t thread;

	if (slot == SERVER_CONNECTIONS_MAX) {
		LOG_THROTTLED(LOG_LEVEL_WARN, "dns_connection_refused", "limit=%d",
			SERVER_CONNECTIONS_MAX);
		close(fd);
		return;
	}
	connection = xmalloc(sizeof(*connection));
	connection->server = server;
	connection->slot = slot;
	connection->fd = fd;
	connection->used = 0;
	if (pthread_create(&thread, NULL, run_connection, connection) != 0)
		BUG("no thread for a connection");
	pthread_detach(thread);
}

static void *accept_connections(void *arg)
{
	struct server *server = arg;
	int fd;

	for (;;) {
		fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			start_connection(server, fd);
		else if (errno == EINVAL)
			return NULL; /* server_stop shut the listener down */
		else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			usleep(100 * 1000); /* the connection waits in the backlog */
	}
}

/* ---- start and stop ---- */

static bool is_served(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool served = fd >= 0 && connect(fd, (const void *)address, sizeof(*address)) == 0;

	close(fd);
	return served;
}

static err_t listen_at(struct server *server, const char *path)
{
	struct sockaddr_un *address = &server->address;

	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address->sun_path)) {
		log_error("dns_socket", "path=%s error=\"longer than %zu bytes\"", log_value(path),
			sizeof(address->sun_path) - 1);
		return ERR_INVALID_ARGUMENT;
	}
	strcpy(address->sun_path, path);
	if (is_served(address)) {
		log_error("dns_socket", "path=%s error=\"another process listens there\"",
			log_value(path));
		return ERR_ALREADY_EXISTS;
	}
	unlink(path);
	server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->listener < 0 ||
		bind(server->listener, (void *)address, sizeof(*address)) != 0 ||
		chmod(path, SOCKET_MODE) != 0 ||
		listen(server->listener, SERVER_CONNECTIONS_MAX) != 0) {
		log_error("dns_socket", "path=%s error=\"%s\"", log_value(path), strerror(errno));
		return ERR_UNAVAILABLE;
	}
	return OK;
}

err_t server_start(struct server **out, const char *path, const struct remote *remote)
{
	struct server *server = xcalloc(1, sizeof(*server));
	err_t err;

	server->remote = remote;
	server->listener = -1;
	memset(server->fds, -1, sizeof(server->fds));
	pthread_mutex_init(&server->mutex, NULL);
	pthread_cond_init(&server->changed, NULL);
	if ((err = listen_at(server, path)) != OK)
		goto err_listen;
	if (pthread_create(&server->acceptor, NULL, accept_connections, server) != 0)
		BUG("no thread to accept connections");
	*out = server;
	return OK;
err_listen:
	if (server->listener >= 0)
		close(server->listener);
	free(server);
	return err;
}

/* Ends every connection; the mutex is held. True while there is one. */
static bool end_connections(struct server *server)
{
	bool any = false;

	for (size_t slot = 0; slot < SERVER_CONNECTIONS_MAX; slot++)
		if (server->fds[slot] >= 0) {
			shutdown(server->fds[slot], SHUT_RDWR);
			any = true;
		}
	return any;
}

void server_stop(struct server *server)
{
	if (server == NULL)
		return;
	shutdown(server->listener, SHUT_RDWR);
	pthread_join(server->acceptor, NULL);
	close(server->listener);
	unlink(server->address.sun_path);
	pthread_mutex_lock(&server->mutex);
	while (end_connections(server))
		pthread_cond_wait(&server->changed, &server->mutex);
	pthread_mutex_unlock(&server->mutex);
	pthread_mutex_destroy(&server->mutex);
	pthread_cond_destroy(&server->changed);
	free(server);
}
