/* later: a job comes back to its crew, as often as it is put. */
#include "gateway/later.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <semaphore.h>

#define TIMES 3

static struct later *later;
static sem_t done;

struct counted {
	struct job job;
	int n_runs;
};

static void run(struct job *job)
{
	struct counted *counted = (struct counted *)job;

	if (++counted->n_runs < TIMES)
		later_put(later, job);
	else
		sem_post(&done);
}

Test(later, jobs_come_back, .timeout = 60)
{
	struct counted jobs[2] = { 0 };
	struct crew *crew = crew_start(2, run);

	sem_init(&done, 0, 0);
	later = later_start(crew);
	later_put(later, &jobs[0].job);
	crew_put(crew, &jobs[1].job);
	sem_wait(&done);
	sem_wait(&done);
	later_stop(later);
	crew_stop(crew);
	cr_expect(eq(int, jobs[0].n_runs, TIMES));
	cr_expect(eq(int, jobs[1].n_runs, TIMES));
	sem_destroy(&done);
	later_stop(NULL);
}
