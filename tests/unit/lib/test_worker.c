/* That a worker runs, is woken from a long sleep, and stops. */
#include "lib/worker.h"

#include <criterion/criterion.h>

#include <semaphore.h>

static int64_t post_and_sleep(void *arg)
{
	sem_post(arg);
	return 3600 * 1000;
}

Test(worker, a_wake_up_ends_the_sleep, .timeout = 60)
{
	struct worker *worker;
	sem_t runs;

	sem_init(&runs, 0, 0);
	worker = worker_start(post_and_sleep, &runs);
	for (int i = 0; i < 5; i++) {
		sem_wait(&runs);
		worker_wake(worker);
	}
	worker_stop(worker);
	worker_stop(NULL);
	sem_destroy(&runs);
}
