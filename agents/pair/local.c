/* local: see local.h. */
#include "agents/pair/local.h"

#include "lib/endpoint.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static err_t open_socket(const char *where, int flags, struct sockaddr_storage *address,
	socklen_t *len, int *fd, struct fault *fault)
{
	if (endpoint_parse_any(where, address, len) != OK)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "",
			"%.100s: expected ADDRESS:PORT or a path", where);
	*fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	return *fd >= 0 ? OK : fault_set(fault, ERR_UNAVAILABLE, "", "no socket: %m");
}

/* Says why `where` can't be used, and closes the socket. */
static err_t give_up(const char *where, int fd, struct fault *fault)
{
	fault_set(fault, ERR_UNAVAILABLE, "", "%.100s: %s", where, strerror(errno));
	close(fd);
	return ERR_UNAVAILABLE;
}

err_t local_listen(const char *where, int *fd, struct fault *fault)
{
	struct sockaddr_storage address;
	socklen_t len;
	int listening, one = 1;
	err_t err = open_socket(where, 0, &address, &len, &listening, fault);

	if (err != OK)
		return err;
	setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listening, (struct sockaddr *)&address, len) != 0 || listen(listening, 1) != 0)
		return give_up(where, listening, fault);
	*fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	if (*fd < 0)
		return give_up(where, listening, fault);
	close(listening);
	if (address.ss_family == AF_UNIX) /* one connection is all there is */
		unlink(((struct sockaddr_un *)&address)->sun_path);
	return OK;
}

err_t local_connect(const char *where, bool nonblocking, int *fd, struct fault *fault)
{
	struct sockaddr_storage address;
	socklen_t len;
	int opened;
	err_t err =
		open_socket(where, nonblocking ? SOCK_NONBLOCK : 0, &address, &len, &opened, fault);

	if (err != OK)
		return err;
	if (connect(opened, (struct sockaddr *)&address, len) != 0 && errno != EINPROGRESS)
		return give_up(where, opened, fault);
	*fd = opened;
	return OK;
}
