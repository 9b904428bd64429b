/*
 * door: see door.h.
 */
#include "dataplane/net/door.h"

#include "lib/endpoint.h"
#include "lib/log.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG 4096 /* all who come back at once when another node dies */

struct place {
	struct sockaddr_storage address;
	socklen_t len;
};

static bool is_local(const struct place *place)
{
	return place->address.ss_family == AF_UNIX;
}

/* A socket's file that a process left behind when it was killed is in the way of the next. */
static err_t remove_stale(const char *path, const struct place *place)
{
	struct stat status;
	int probe, error;

	if (lstat(path, &status) != 0)
		return OK;
	if (!S_ISSOCK(status.st_mode)) {
		errno = EEXIST;
		return ERR_ALREADY_EXISTS;
	}
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	error = connect(probe, (const struct sockaddr *)&place->address, place->len) == 0 ? 0
											  : errno;
	close(probe);
	if (error == ECONNREFUSED)
		return unlink(path) == 0 ? OK : ERR_PERMISSION_DENIED;
	errno = EADDRINUSE;
	return ERR_ALREADY_EXISTS;
}

/* The file is born without rights for others, and gets those of the group when it has its group. */
static err_t bind_local(const struct door *door, const struct place *place, int fd)
{
	if (remove_stale(door->listen, place) != OK || fchmod(fd, door->mode & S_IRWXU) != 0 ||
		bind(fd, (const struct sockaddr *)&place->address, place->len) != 0)
		return ERR_UNAVAILABLE;
	if ((door->group != 0 && chown(door->listen, (uid_t)-1, door->group) != 0) ||
		chmod(door->listen, door->mode) != 0)
		return ERR_PERMISSION_DENIED;
	return OK;
}

static err_t bind_address(const struct place *place, int fd)
{
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) != 0 ||
		bind(fd, (const struct sockaddr *)&place->address, place->len) != 0)
		return ERR_UNAVAILABLE;
	return OK;
}

static err_t fail(const struct door *door, err_t err, const char *cause)
{
	log_error("listen_failed", "listen=%s cause=\"%s\"", log_value(door->listen), cause);
	return err;
}

err_t door_open(const struct door *door, int *out)
{
	struct place place;
	err_t err;
	int fd;

	if (endpoint_parse_any(door->listen, &place.address, &place.len) != OK)
		return fail(door, ERR_INVALID_ARGUMENT, "ADDRESS:PORT or a path expected");
	fd = socket(place.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(door, ERR_UNAVAILABLE, strerror(errno));
	err = is_local(&place) ? bind_local(door, &place, fd) : bind_address(&place, fd);
	if (err == OK && listen(fd, BACKLOG) != 0)
		err = ERR_UNAVAILABLE;
	if (err != OK) {
		err = fail(door, err, strerror(errno));
		close(fd);
		return err;
	}
	*out = fd;
	return OK;
}

void door_close(const struct door *door, int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
		address.ss_family == AF_UNIX && unlink(door->listen) != 0 && errno != ENOENT)
		log_warn("socket_left", "path=%s cause=\"%s\"", log_value(door->listen),
			strerror(errno));
	close(fd);
}
