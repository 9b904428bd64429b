/* crew: a queue and the threads that empty it, under one mutex. */
#include "gateway/crew.h"

#include "lib/mem.h"

#include <pthread.h>

struct crew {
	void (*run)(struct job *job);
	pthread_t *threads;
	int n_threads;

	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t changed;
	struct job *first, **last;
	int n_waiting;
	bool stopping;
};

/* The next job; NULL when there is none and there will be none. */
static struct job *take(struct crew *crew)
{
	struct job *job;

	pthread_mutex_lock(&crew->mutex);
	while (crew->first == NULL && !crew->stopping)
		pthread_cond_wait(&crew->changed, &crew->mutex);
	if ((job = crew->first) != NULL) {
		if ((crew->first = job->next) == NULL)
			crew->last = &crew->first;
		crew->n_waiting--;
	}
	pthread_mutex_unlock(&crew->mutex);
	return job;
}

static void *work(void *arg)
{
	struct crew *crew = arg;
	struct job *job;

	while ((job = take(crew)) != NULL)
		crew->run(job);
	return NULL;
}

struct crew *crew_start(int n, void (*run)(struct job *job))
{
	struct crew *crew = xcalloc(1, sizeof(*crew));

	crew->run = run;
	crew->last = &crew->first;
	pthread_mutex_init(&crew->mutex, NULL);
	pthread_cond_init(&crew->changed, NULL);
	crew->threads = xcalloc((size_t)n, sizeof(*crew->threads));
	for (; crew->n_threads < n; crew->n_threads++)
		if (pthread_create(&crew->threads[crew->n_threads], NULL, work, crew) != 0)
			BUG("a thread does not start");
	return crew;
}

void crew_put(struct crew *crew, struct job *job)
{
	job->next = NULL;
	pthread_mutex_lock(&crew->mutex);
	*crew->last = job;
	crew->last = &job->next;
	crew->n_waiting++;
	pthread_cond_signal(&crew->changed);
	pthread_mutex_unlock(&crew->mutex);
}

int crew_waiting(struct crew *crew)
{
	int n;

	pthread_mutex_lock(&crew->mutex);
	n = crew->n_waiting;
	pthread_mutex_unlock(&crew->mutex);
	return n;
}

void crew_stop(struct crew *crew)
{
	if (crew == NULL)
		return;
	pthread_mutex_lock(&crew->mutex);
	crew->stopping = true;
	pthread_cond_broadcast(&crew->changed);
	pthread_mutex_unlock(&crew->mutex);
	for (int i = 0; i < crew->n_threads; i++)
		pthread_join(crew->threads[i], NULL);
	pthread_mutex_destroy(&crew->mutex);
	pthread_cond_destroy(&crew->changed);
	free(crew->threads);
	free(crew);
}
