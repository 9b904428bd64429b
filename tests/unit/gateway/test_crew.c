/* crew: every job runs once, and the end waits for all of them. */
#include "gateway/crew.h"

#include "lib/mem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdatomic.h>

#define JOBS 10000

struct counted {
	struct job job;
	atomic_int n_runs;
};

static atomic_int n_done;

static void run(struct job *job)
{
	atomic_fetch_add(&((struct counted *)job)->n_runs, 1);
	atomic_fetch_add(&n_done, 1);
}

Test(crew, each_job_runs_once)
{
	struct counted *jobs = xcalloc(JOBS, sizeof(*jobs));
	struct crew *crew = crew_start(4, run);

	for (int i = 0; i < JOBS; i++)
		crew_put(crew, &jobs[i].job);
	crew_stop(crew);
	cr_expect(eq(int, atomic_load(&n_done), JOBS));
	for (int i = 0; i < JOBS; i++)
		cr_expect(eq(int, atomic_load(&jobs[i].n_runs), 1));
	free(jobs);
}

Test(crew, an_idle_one_ends)
{
	struct crew *crew = crew_start(3, run);

	cr_expect(eq(int, crew_waiting(crew), 0));
	crew_stop(crew);
	crew_stop(NULL);
}
