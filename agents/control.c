/* control: see control.h. */
#include "agents/control.h"

#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX	 8
#define REQUEST_MAX	 16
#define ANSWER_TIMEOUT_S 15 /* of the client; a session's polite end takes 2 */

/* How messages and files call them. */
static const struct {
	const char *prefix, *command, *key, *several;
} kinds[] = {
	[CONTROL_UP] = { "control", "lanyard up", "interface",
		"lanyard up runs for several interfaces: say which one with --interface" },
	[CONTROL_EXPOSE] = { "expose", "lanyard expose", "name",
		"lanyard expose runs for several names: say which one with --name" },
	[CONTROL_OPENVPN] = { "openvpn", "lanyard openvpn", "interface",
		"lanyard openvpn runs for several interfaces: say which one with --openvpn" },
	[CONTROL_WIREGUARD] = { "wireguard", "lanyard wireguard", "interface",
		"lanyard wireguard runs for several interfaces: say which one with --wireguard" },
	[CONTROL_PACKAGES] = { "packages", "lanyard packages", "state folder of the",
		"lanyard packages runs several times" },
};

static char *path_of(enum control_of of, const char *dir, const char *key, const char *suffix)
{
	return xasprintf("%s/%s-%s.%s", dir, kinds[of].prefix, key, suffix);
}

struct client {
	struct control *control;
	struct loop_watch watch; /* fd -1: a free place */
	char request[REQUEST_MAX];
	size_t len;
};

struct control {
	struct control_options options;
	struct sockaddr_un address;
	int lock; /* held while this process serves the key */
	struct loop_watch listener;
	struct client clients[CLIENTS_MAX];
};

static err_t set_path(struct sockaddr_un *address, const char *path, struct fault *fault)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address->sun_path))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "state",
			"the path %.120s is too long for a socket: use a shorter --state", path);
	strcpy(address->sun_path, path);
	return OK;
}

/* ---- the server ---- */

static void drop(struct client *client)
{
	loop_remove(client->control->options.loop, &client->watch);
	close(client->watch.fd);
	client->watch.fd = -1;
}

static void answer(struct client *client)
{
	struct control_options *options = &client->control->options;

	if (strcmp(client->request, "status\n") == 0) {
		AUTO_FREE char *text = options->status(options->context);

		/* Smaller than any socket buffer; a client that went away is its own loss. */
		(void)!send(client->watch.fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
		drop(client);
	} else if (strcmp(client->request, "down\n") == 0) {
		loop_change(options->loop, &client->watch, 0);
		options->down(options->context);
	} else {
		drop(client);
	}
}

static void on_request(void *context, uint32_t events)
{
	struct client *client = context;
	size_t room = sizeof(client->request) - 1 - client->len;
	ssize_t n = recv(client->watch.fd, client->request + client->len, room, MSG_DONTWAIT);

	(void)events;
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		drop(client);
		return;
	}
	client->len += (size_t)n;
	if (strchr(client->request, '\n') != NULL)
		answer(client);
	else if (client->len == sizeof(client->request) - 1)
		drop(client);
}

static void on_connection(void *context, uint32_t events)
{
	struct control *control = context;
	int fd = accept4(control->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &control->clients[i];

		if (client->watch.fd >= 0)
			continue;
		*client =
			(struct client){ .control = control, .watch = { fd, on_request, client } };
		loop_add(control->options.loop, &client->watch, EPOLLIN);
		return;
	}
	close(fd);
}

/* One process a key: a lock, since a socket's file outlives a killed process. */
static err_t take_lock(struct control *control, struct fault *fault)
{
	const struct control_options *options = &control->options;
	AUTO_FREE char *path = path_of(options->of, options->dir, options->key, "lock");

	control->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (control->lock < 0)
		return fault_set(fault, ERR_INTERNAL, "state", "can't write %.150s: %m", path);
	if (flock(control->lock, LOCK_EX | LOCK_NB) < 0)
		return fault_set(fault, ERR_ALREADY_EXISTS, kinds[options->of].key,
			"%s runs for the %s %s already: lanyard status tells how it is",
			kinds[options->of].command, kinds[options->of].key, options->key);
	return OK;
}

static err_t listen_there(struct control *control, struct fault *fault)
{
	const struct control_options *options = &control->options;
	AUTO_FREE char *path = path_of(options->of, options->dir, options->key, "sock");
	err_t err = set_path(&control->address, path, fault);
	mode_t mask;
	int fd, bound;

	if (err != OK)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(path);
	mask = umask(0177);
	bound = bind(fd, (struct sockaddr *)&control->address, sizeof(control->address));
	umask(mask);
	if (bound < 0 || listen(fd, CLIENTS_MAX) < 0) {
		fault_set(fault, ERR_INTERNAL, "state", "can't listen on %.150s: %m", path);
		close(fd);
		return ERR_INTERNAL;
	}
	control->listener = (struct loop_watch){ fd, on_connection, control };
	loop_add(control->options.loop, &control->listener, EPOLLIN);
	return OK;
}

err_t control_open(struct control **out, const struct control_options *options, struct fault *fault)
{
	struct control *control = xcalloc(1, sizeof(*control));
	err_t err;

	control->options = *options;
	control->listener.fd = -1;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		control->clients[i].watch.fd = -1;
	err = take_lock(control, fault);
	if (err == OK)
		err = listen_there(control, fault);
	if (err == OK)
		*out = control;
	else
		control_close(control);
	return err;
}

void control_close(struct control *control)
{
	if (control == NULL)
		return;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (control->clients[i].watch.fd >= 0)
			drop(&control->clients[i]);
	if (control->listener.fd >= 0) {
		loop_remove(control->options.loop, &control->listener);
		close(control->listener.fd);
		unlink(control->address.sun_path);
	}
	if (control->lock >= 0)
		close(control->lock);
	free(control);
}

/* ---- the client ---- */

static err_t not_running(enum control_of of, const char *dir, struct fault *fault)
{
	return fault_set(fault, ERR_NOT_FOUND, "", "%s is not running with --state %s",
		kinds[of].command, dir);
}

size_t control_list(
	enum control_of of, const char *dir, char keys[CONTROL_KEYS_MAX][CONTROL_KEY_SIZE])
{
	AUTO_FREE char *pattern = path_of(of, dir, "*", "sock");
	size_t before = strlen(pattern) - strlen("*.sock"), n = 0;
	glob_t found = { 0 };

	if (glob(pattern, 0, NULL, &found) == 0)
		for (; n < found.gl_pathc && n < CONTROL_KEYS_MAX; n++)
			snprintf(keys[n], CONTROL_KEY_SIZE, "%.*s",
				(int)(strlen(found.gl_pathv[n] + before) - strlen(".sock")),
				found.gl_pathv[n] + before);
	globfree(&found);
	return n;
}

static err_t find_socket(enum control_of of, const char *dir, const char *key,
	struct sockaddr_un *address, struct fault *fault)
{
	char keys[CONTROL_KEYS_MAX][CONTROL_KEY_SIZE];
	size_t n = key == NULL ? control_list(of, dir, keys) : 1;
	AUTO_FREE char *path = NULL;

	if (n == 0)
		return not_running(of, dir, fault);
	if (n > 1)
		return fault_set(
			fault, ERR_INVALID_ARGUMENT, kinds[of].key, "%s", kinds[of].several);
	path = path_of(of, dir, key != NULL ? key : keys[0], "sock");
	return set_path(address, path, fault);
}

static err_t exchange(enum control_of of, int fd, const char *request,
	char text[CONTROL_ANSWER_MAX], struct fault *fault)
{
	size_t len = 0;
	ssize_t n;

	if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		return fault_set(fault, ERR_UNAVAILABLE, "", "%s went away: %m", kinds[of].command);
	while (len < CONTROL_ANSWER_MAX - 1 &&
		(n = recv(fd, text + len, CONTROL_ANSWER_MAX - 1 - len, 0)) != 0) {
		if (n < 0 && errno != ECONNRESET)
			return fault_set(fault, ERR_DEADLINE_EXCEEDED, "",
				"%s did not answer in %d s", kinds[of].command, ANSWER_TIMEOUT_S);
		if (n < 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
	return OK;
}

err_t control_ask(enum control_of of, const char *dir, const char *key, const char *request,
	char text[CONTROL_ANSWER_MAX], struct fault *fault)
{
	struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT_S };
	struct sockaddr_un address;
	err_t err = find_socket(of, dir, key, &address, fault);
	int fd;

	if (err != OK)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		err = exchange(of, fd, request, text, fault);
	else if (errno == EACCES || errno == EPERM)
		err = fault_set(fault, ERR_PERMISSION_DENIED, "", "can't open %s: %m; run as root",
			address.sun_path);
	else
		err = not_running(of, dir, fault);
	close(fd);
	return err;
}
