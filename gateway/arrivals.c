/* arrivals: a list of those that wait, and a worker that looks at their sockets in short turns
 * while there are any. */
#include "gateway/arrivals.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/worker.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define EVERY_MS 10
#define IDLE_MS	 60000
#define LIMIT_MS 60000 /* a client that has confirmed nothing more by then is given up */

struct arrivals {
	struct worker *worker;

	pthread_mutex_t mutex; /* guards what follows */
	struct arrival *waiting;
};

/* A client that will send nothing more may still read. */
static bool is_open(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	       (info.tcpi_state == TCP_ESTABLISHED || info.tcpi_state == TCP_CLOSE_WAIT);
}

/* Is there something to say of it? What the kernel still holds is neither sent nor confirmed. */
static bool look(struct arrival *arrival)
{
	int held = -1;
	bool fine = ioctl(arrival->fd, SIOCOUTQ, &held) == 0 && held == 0;
	bool open = is_open(arrival->fd); /* last: a reset may empty what is held */

	arrival->whole = fine && open;
	return arrival->whole || !open || clock_ms() > arrival->until_ms;
}

static void put(struct arrivals *arrivals, struct arrival *arrival)
{
	pthread_mutex_lock(&arrivals->mutex);
	arrival->next = arrivals->waiting;
	arrivals->waiting = arrival;
	pthread_mutex_unlock(&arrivals->mutex);
}

static int64_t work(void *arg)
{
	struct arrivals *arrivals = arg;
	struct arrival *arrival, *next;
	int64_t wait_ms = IDLE_MS;

	pthread_mutex_lock(&arrivals->mutex);
	arrival = arrivals->waiting;
	arrivals->waiting = NULL;
	pthread_mutex_unlock(&arrivals->mutex);
	for (; arrival != NULL; arrival = next) {
		next = arrival->next;
		if (look(arrival)) {
			arrival->ready(arrival);
		} else {
			put(arrivals, arrival);
			wait_ms = EVERY_MS;
		}
	}
	return wait_ms;
}

struct arrivals *arrivals_start(void)
{
	struct arrivals *arrivals = xcalloc(1, sizeof(*arrivals));

	pthread_mutex_init(&arrivals->mutex, NULL);
	arrivals->worker = worker_start(work, arrivals);
	return arrivals;
}

void arrivals_stop(struct arrivals *arrivals)
{
	if (arrivals == NULL)
		return;
	worker_stop(arrivals->worker);
	if (arrivals->waiting != NULL)
		BUG("a reply was left waiting");
	pthread_mutex_destroy(&arrivals->mutex);
	free(arrivals);
}

void arrivals_wait(struct arrivals *arrivals, struct arrival *arrival)
{
	arrival->until_ms = clock_ms() + LIMIT_MS;
	put(arrivals, arrival);
	worker_wake(arrivals->worker);
}
