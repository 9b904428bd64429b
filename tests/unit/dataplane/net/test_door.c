/*
 * door: who may come through a unix socket, and what its path may be.
 */
#include "dataplane/net/door.h"

#include <criterion/criterion.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/test_door.XXXXXX";
static char path[64];

static void make_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
}

static void remove_folder(void)
{
	unlink(path);
	rmdir(folder);
}

TestSuite(door, .init = make_folder, .fini = remove_folder);

static bool connects(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bool connected;

	strcpy(address.sun_path, path);
	connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return connected;
}

/* vpn-ws lets everybody in (0666), so that every local user can be any REMOTE_USER. */
Test(door, of_a_unix_socket_is_closed_to_others)
{
	const struct door door = { .listen = path, .mode = 0660, .group = 1 };
	struct stat status;
	int fd;

	umask(0);
	cr_assert_eq(door_open(&door, &fd), OK);
	cr_assert_eq(stat(path, &status), 0);
	cr_assert_eq(status.st_mode & 07777, 0660);
	cr_assert(status.st_gid == 1 || getuid() != 0);
	cr_assert(connects());
	door_close(&door, fd);
	cr_assert_neq(stat(path, &status), 0);
}

Test(door, takes_the_place_of_a_dead_one_only)
{
	const struct door door = { .listen = path, .mode = 0600 };
	int first, second;
	FILE *file;

	cr_assert_eq(door_open(&door, &first), OK);
	cr_assert_neq(door_open(&door, &second), OK);
	cr_assert(connects(), "the one that lives is still there");
	close(first); /* as if it had been killed */
	cr_assert_eq(door_open(&door, &second), OK);
	cr_assert(connects());
	door_close(&door, second);

	file = fopen(path, "w");
	fclose(file);
	cr_assert_neq(door_open(&door, &first), OK);
	cr_assert_eq(access(path, F_OK), 0, "a file that is no socket stays");
}

Test(door, listens_at_addresses)
{
	static const char *const good[] = { "127.0.0.1:0", "[::1]:0", ":0" };
	int fd;

	for (size_t i = 0; i < 3; i++) {
		const struct door door = { .listen = good[i] };

		cr_assert_eq(door_open(&door, &fd), OK, "%s", good[i]);
		door_close(&door, fd);
	}
	cr_assert_eq(door_open(&(struct door){ .listen = "nowhere:1" }, &fd), ERR_INVALID_ARGUMENT);
	cr_assert_eq(door_open(&(struct door){ .listen = "" }, &fd), ERR_INVALID_ARGUMENT);
}
