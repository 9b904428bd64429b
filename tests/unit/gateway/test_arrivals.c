/*
 * arrivals: what was written has arrived when the other side's kernel has it, and not before; a
 * reset is noticed.
 */
#include "gateway/arrivals.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static sem_t was_ready, was_looked;
static atomic_bool reading, whole, read_before;

static void ready(struct arrival *arrival)
{
	whole = arrival->whole;
	read_before = reading;
	sem_post(&was_ready);
}

static void await(sem_t *sem)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 60;
	cr_assert_eq(sem_timedwait(sem, &until), 0);
}

/* Two ends of a connection; the client's has room for a few kilobytes. */
static void connect_pair(int *server, int *client)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), room = 4096;

	*client = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&address, len), 0);
	cr_assert_eq(listen(listener, 1), 0);
	cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	cr_assert_eq(setsockopt(*client, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
	cr_assert_eq(connect(*client, (struct sockaddr *)&address, len), 0);
	*server = accept(listener, NULL, NULL);
	cr_assert_geq(*server, 0);
	close(listener);
}

static size_t fill(int fd)
{
	static const char text[64 * 1024];
	ssize_t n = send(fd, text, sizeof(text), MSG_DONTWAIT);

	cr_assert_gt(n, 16 * 1024);
	return (size_t)n;
}

static void looked(struct arrival *arrival)
{
	(void)arrival;
	sem_post(&was_looked);
}

/* What waits was looked at when another one, for which nothing is under way, was ready twice. */
static void await_looks(struct arrivals *arrivals)
{
	struct arrival idle = { .ready = looked };
	int client;

	sem_init(&was_looked, 0, 0);
	connect_pair(&idle.fd, &client);
	for (int i = 0; i < 2; i++) {
		arrivals_wait(arrivals, &idle);
		await(&was_looked);
		cr_assert(idle.whole);
	}
	close(client);
	close(idle.fd);
}

Test(arrivals, all_has_arrived_when_the_client_has_it)
{
	struct arrivals *arrivals = arrivals_start();
	struct arrival arrival = { .ready = ready };
	char room[4096];
	size_t left;
	int client;

	sem_init(&was_ready, 0, 0);
	connect_pair(&arrival.fd, &client);
	left = fill(arrival.fd);
	arrivals_wait(arrivals, &arrival);
	await_looks(arrivals);
	reading = true;
	while (left > 0)
		left -= (size_t)read(client, room, sizeof(room));
	await(&was_ready);
	cr_assert(whole && read_before);
	close(client);
	close(arrival.fd);
	arrivals_stop(arrivals);
}

Test(arrivals, a_reset_is_no_arrival)
{
	struct linger at_once = { .l_onoff = 1 };
	struct arrivals *arrivals = arrivals_start();
	struct arrival arrival = { .ready = ready };
	int client;

	sem_init(&was_ready, 0, 0);
	connect_pair(&arrival.fd, &client);
	fill(arrival.fd);
	arrivals_wait(arrivals, &arrival);
	cr_assert_eq(setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	close(client);
	await(&was_ready);
	cr_assert(!whole);
	close(arrival.fd);
	arrivals_stop(arrivals);
}
