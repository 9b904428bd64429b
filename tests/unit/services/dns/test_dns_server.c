/* server: lines in pieces and in bunches, too long ones, many connections, and a clean stop. */
#include "services/dns/server.h"

#include "lib/mem.h"
#include "tests/unit/services/dns/sample_directory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define HELLO	  "{\"method\":\"initialize\",\"parameters\":{}}\n"
#define HELLO_YES "{\"result\":true}\n"
#define LOOKUP                                                                                     \
	"{\"method\":\"lookup\",\"parameters\":{\"qname\":\"d.n.t.lanyard.test.\","                \
	"\"qtype\":\"A\"}}\n"
#define LOOKUP_YES                                                                                 \
	"{\"result\":[{\"qname\":\"d.n.t.lanyard.test.\",\"qtype\":\"A\",\"content\":\"10.77.0."   \
	"1\","                                                                                     \
	"\"ttl\":60,\"domain_id\":1,\"auth\":true}]}\n"

static char dir[] = "/tmp/test_dns_server.XXXXXX";
static char path[64];
static struct remote remote;
static struct server *server;

static void setup(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	remote.directory = sample_directory();
	cr_assert_eq(server_start(&server, path, &remote), OK);
}

static void teardown(void)
{
	server_stop(server);
	cr_expect_neq(access(path, F_OK), 0, "the socket was left behind");
	rmdir(dir);
	directory_destroy(remote.directory);
}

TestSuite(dns_server, .init = setup, .fini = teardown);

static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = { 30, 0 };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	cr_assert_eq(connect(fd, (void *)&address, sizeof(address)), 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void expect(int fd, const char *want)
{
	char got[1024] = "";

	cr_assert_eq(recv(fd, got, strlen(want), MSG_WAITALL), (ssize_t)strlen(want));
	cr_expect_str_eq(got, want);
}

static void expect_end(int fd)
{
	char byte;

	cr_expect_leq(recv(fd, &byte, 1, 0), 0);
	close(fd);
}

Test(dns_server, one_line)
{
	int fd = dial();

	say(fd, HELLO);
	expect(fd, HELLO_YES);
	say(fd, LOOKUP);
	expect(fd, LOOKUP_YES);
	close(fd);
}

Test(dns_server, many_lines_at_once)
{
	int fd = dial();

	say(fd, HELLO LOOKUP "nonsense\n" HELLO);
	expect(fd, HELLO_YES LOOKUP_YES
		"{\"result\":false,\"log\":[\"this is no question\"]}\n" HELLO_YES);
	close(fd);
}

Test(dns_server, byte_by_byte)
{
	int fd = dial();

	for (const char *c = LOOKUP; *c != '\0'; c++)
		say(fd, (const char[]){ *c, '\0' });
	expect(fd, LOOKUP_YES);
	close(fd);
}

Test(dns_server, line_up_to_the_limit)
{
	AUTO_FREE char *line = xmalloc(SERVER_LINE_MAX + 1);
	int fd = dial();

	memset(line, ' ', SERVER_LINE_MAX);
	memcpy(line, HELLO, strlen(HELLO) - 1);
	line[SERVER_LINE_MAX - 1] = '\n';
	line[SERVER_LINE_MAX] = '\0';
	say(fd, line);
	expect(fd, HELLO_YES);
	line[SERVER_LINE_MAX - 1] = ' ';
	say(fd, line);
	expect_end(fd);
	fd = dial(); /* and the others do not notice */
	say(fd, HELLO);
	expect(fd, HELLO_YES);
	close(fd);
}

Test(dns_server, connections_come_and_go)
{
	int fds[SERVER_CONNECTIONS_MAX];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < SERVER_CONNECTIONS_MAX; i++) {
			/* One that just ended may still hold its place: then dial again. */
			char byte = 0;

			do {
				fds[i] = dial();
				send(fds[i], HELLO, strlen(HELLO), MSG_NOSIGNAL);
			} while (recv(fds[i], &byte, 1, 0) != 1 && close(fds[i]) == 0);
			cr_assert_eq(byte, '{');
		}
		expect_end(dial());
		for (int i = 0; i < SERVER_CONNECTIONS_MAX; i++)
			close(fds[i]);
	}
}

Test(dns_server, stops_with_clients)
{
	int idle = dial(), half = dial();

	say(idle, HELLO);
	expect(idle, HELLO_YES);
	say(half, "{\"method\":");
	server_stop(server);
	expect_end(idle);
	expect_end(half);
	cr_assert_eq(server_start(&server, path, &remote), OK);
}

Test(dns_server, refuses_a_path_in_use)
{
	struct server *second = NULL;
	int fd;

	cr_expect_eq(server_start(&second, path, &remote), ERR_ALREADY_EXISTS);
	fd = dial();
	say(fd, HELLO);
	expect(fd, HELLO_YES);
	close(fd);
}

Test(dns_server, takes_over_a_path_left_behind)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int left = socket(AF_UNIX, SOCK_STREAM, 0);
	int fd;

	server_stop(server);
	strcpy(address.sun_path, path);
	cr_assert_eq(bind(left, (void *)&address, sizeof(address)), 0);
	close(left);
	cr_assert_eq(access(path, F_OK), 0);
	cr_assert_eq(server_start(&server, path, &remote), OK);
	fd = dial();
	say(fd, HELLO);
	expect(fd, HELLO_YES);
	close(fd);
}

Test(dns_server, wrong_paths)
{
	struct server *other = NULL;
	char long_path[200];

	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	cr_expect_eq(server_start(&other, long_path, &remote), ERR_INVALID_ARGUMENT);
	cr_expect_eq(server_start(&other, "/nonexistent/folder/s", &remote), ERR_UNAVAILABLE);
}
