/*
 * loop: a list of tasks under a mutex, and an async handle that wakes the loop to run them.
 */
#include "dataplane/loop.h"

#include "lib/log.h"
#include "lib/mem.h"

struct task {
	void (*run)(void *arg);
	void *arg;
	uv_sem_t *ran; /* NULL: nobody waits */
	struct task *next;
};

struct loop {
	uv_loop_t uv;
	uv_async_t door;
	uv_thread_t thread;
	uv_mutex_t mutex; /* guards the rest */
	struct task *first, **end;
	bool ended;
};

struct job {
	uv_work_t work_item;
	void (*work)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

static void run_tasks(uv_async_t *door)
{
	struct loop *loop = door->data;
	struct task *task, *next;

	uv_mutex_lock(&loop->mutex);
	task = loop->first;
	loop->first = NULL;
	loop->end = &loop->first;
	uv_mutex_unlock(&loop->mutex);
	for (; task; task = next) {
		next = task->next;
		task->run(task->arg);
		if (task->ran)
			uv_sem_post(task->ran);
		free(task);
	}
}

static bool task_add(struct loop *loop, struct task *task)
{
	bool ended;

	uv_mutex_lock(&loop->mutex);
	ended = loop->ended;
	if (!ended) {
		*loop->end = task;
		loop->end = &task->next;
		uv_async_send(&loop->door);
	}
	uv_mutex_unlock(&loop->mutex);
	if (ended)
		free(task);
	return !ended;
}

static struct task *task_new(void (*run)(void *arg), void *arg, uv_sem_t *ran)
{
	struct task *task = xcalloc(1, sizeof(*task));

	*task = (struct task){ .run = run, .arg = arg, .ran = ran };
	return task;
}

static void loop_main(void *arg)
{
	struct loop *loop = arg;

	uv_run(&loop->uv, UV_RUN_DEFAULT);
}

static void job_work(uv_work_t *item)
{
	struct job *job = item->data;

	job->work(job->arg);
}

static void job_done(uv_work_t *item, int status)
{
	struct job *job = item->data;

	(void)status; /* never cancelled */
	job->done(job->arg);
	free(job);
}

err_t loop_start(struct loop **out)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));
	int status;

	loop->end = &loop->first;
	if ((status = uv_mutex_init(&loop->mutex)) != 0)
		goto err_free;
	if ((status = uv_loop_init(&loop->uv)) != 0)
		goto err_mutex;
	if ((status = uv_async_init(&loop->uv, &loop->door, run_tasks)) != 0)
		goto err_loop;
	loop->door.data = loop;
	if ((status = uv_thread_create(&loop->thread, loop_main, loop)) != 0)
		goto err_door;
	*out = loop;
	return OK;
err_door:
	uv_close((uv_handle_t *)&loop->door, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
err_loop:
	uv_loop_close(&loop->uv);
err_mutex:
	uv_mutex_destroy(&loop->mutex);
err_free:
	free(loop);
	log_error("loop_failed", "cause=\"%s\"", uv_strerror(status));
	return ERR_RESOURCE_EXHAUSTED;
}

void loop_join(struct loop *loop)
{
	if (!loop)
		return;
	uv_thread_join(&loop->thread);
	if (uv_loop_close(&loop->uv) != 0)
		BUG("a handle of the loop was left open");
	uv_mutex_destroy(&loop->mutex);
	free(loop);
}

bool loop_post(struct loop *loop, void (*run)(void *arg), void *arg)
{
	return task_add(loop, task_new(run, arg, NULL));
}

bool loop_call(struct loop *loop, void (*run)(void *arg), void *arg)
{
	uv_sem_t ran;
	bool added;

	if (uv_sem_init(&ran, 0) != 0)
		return false;
	added = task_add(loop, task_new(run, arg, &ran));
	if (added)
		uv_sem_wait(&ran);
	uv_sem_destroy(&ran);
	return added;
}

void loop_end(struct loop *loop)
{
	uv_mutex_lock(&loop->mutex);
	loop->ended = true;
	uv_mutex_unlock(&loop->mutex);
	run_tasks(&loop->door); /* those that came in before */
	uv_close((uv_handle_t *)&loop->door, NULL);
}

void loop_work(struct loop *loop, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	struct job *job = xcalloc(1, sizeof(*job));

	*job = (struct job){ .work = work, .done = done, .arg = arg };
	job->work_item.data = job;
	uv_queue_work(&loop->uv, &job->work_item, job_work, job_done);
}

uv_loop_t *loop_uv(struct loop *loop)
{
	return &loop->uv;
}
