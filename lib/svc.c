/*
 * svc: the life of a process: settings, bus, fabric, ops port, the definition's own start, events
 * and tasks; then it waits for SIGTERM and goes back the same way. Runs in the main thread.
 */
#include "lib/svc.h"

#include "lib/clock.h"
#include "lib/fabric.h"
#include "lib/log.h"
#include "lib/ops.h"
#include "lib/ops_health.h"
#include "lib/privileges.h"
#include "lib/svc_task.h"
#include "lib/svc_transact.h"
#include "lib/tls.h"
#include "lib/uuid.h"

#include <sodium.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READY_PARTS 8
#define DRAIN_MS    5000
#define LEAVE_S	    2		  /* by then all others have read the list without this process */
#define EXIT_S	    (LEAVE_S + 8) /* by then the process ends, come what may */

extern char **environ;

struct part {
	const char *name;
	const char *reason; /* NULL: ready */
};

struct svc {
	const struct svc_definition *definition;
	char instance[BUS_INSTANCE_LEN];
	struct bus *bus;
	struct ops *ops;
	struct fabric *fabric;
	struct event_consumer *events;
	struct svc_tasks *tasks;
	struct svc_transact *transact;
	pthread_mutex_t mutex; /* guards parts */
	struct part parts[READY_PARTS];
	char not_ready[160]; /* what ready_reason returned last; ops's thread */
};

static struct {
	const char *database_url;
	const char *fleet_key_file;
	const char *bus_listen;
	const char *bus_advertise;
	const char *ops_listen;
	const char *log_level;
	long workers;
} settings;

static const struct config_entry common[] = {
	{ "LANYARD_DATABASE_URL", NULL, &settings.database_url, CONFIG_SECRET,
		"PostgreSQL, as a libpq URL; the password belongs into a passfile= of it", 0, 0 },
	{ "LANYARD_FLEET_KEY_FILE", NULL, &settings.fleet_key_file, CONFIG_TEXT,
		"file with the keys that seal the bus, lines ID:64 hex digits, the first one seals",
		0, 0 },
	{ "LANYARD_BUS_LISTEN", "tcp://127.0.0.1:0", &settings.bus_listen, CONFIG_TEXT,
		"where this process answers the bus, and on the next port rings; port 0 takes "
		"free ones",
		0, 0 },
	{ "LANYARD_BUS_ADVERTISE", "", &settings.bus_advertise, CONFIG_TEXT,
		"address under which the others reach it; empty: that of LANYARD_BUS_LISTEN, or of "
		"this machine's host name if that is every address",
		0, 0 },
	{ "LANYARD_OPS_LISTEN", "127.0.0.1:0", &settings.ops_listen, CONFIG_ENDPOINT,
		"port of /livez, /readyz and /metrics", 0, 0 },
	{ "LANYARD_LOG_LEVEL", "info", &settings.log_level, CONFIG_TEXT,
		"error, warn, info or debug", 0, 0 },
	{ "LANYARD_BUS_WORKERS", "8", &settings.workers, CONFIG_INT,
		"calls served at the same time; with state, each has a database connection", 1,
		256 },
	{ NULL, NULL, NULL, CONFIG_TEXT, NULL, 0, 0 },
};

static const struct config_entry none[] = { { NULL, NULL, NULL, CONFIG_TEXT, NULL, 0, 0 } };

/* ---- readiness ---- */

void svc_ready(struct svc *svc, const char *part, const char *reason)
{
	size_t i = 0;

	pthread_mutex_lock(&svc->mutex);
	while (i < READY_PARTS && svc->parts[i].name != NULL &&
		strcmp(svc->parts[i].name, part) != 0)
		i++;
	if (i == READY_PARTS)
		BUG("more than %d parts of readiness", READY_PARTS);
	svc->parts[i].name = part;
	svc->parts[i].reason = reason;
	pthread_mutex_unlock(&svc->mutex);
}

static const char *ready_reason(void *context)
{
	struct svc *svc = context;
	const char *found = NULL;

	pthread_mutex_lock(&svc->mutex);
	for (size_t i = 0; found == NULL && i < READY_PARTS; i++)
		if (svc->parts[i].reason != NULL) {
			snprintf(svc->not_ready, sizeof(svc->not_ready), "%s: %s",
				svc->parts[i].name, svc->parts[i].reason);
			found = svc->not_ready;
		}
	pthread_mutex_unlock(&svc->mutex);
	return found;
}

static void database_state(void *context, const char *problem)
{
	struct svc *svc = context;

	if (problem == NULL || !svc->definition->outlasts_database)
		svc_ready(svc, "database", problem);
}

/* ---- signals ---- */

static void block_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	/* These must strike where they happen. */
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGABRT);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
}

/* Waits for the word to stop, at most `ms` (for ever if negative); the signal's number or 0. */
static int wait_stop(int64_t ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	do
		number = ms < 0 ? sigwaitinfo(&set, NULL) : sigtimedwait(&set, NULL, &time);
	while (number < 0 && errno == EINTR);
	return number > 0 ? number : 0;
}

static void end_process(int number)
{
	(void)number;
	_exit(EXIT_SUCCESS);
}

/* The bus can hang when it closes (docs/bus.md): the process ends all the same, and in time. */
static void arm_exit(const struct svc_definition *definition)
{
	struct sigaction action = { .sa_handler = end_process };
	sigset_t set;

	sigaction(SIGALRM, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	alarm(EXIT_S + (unsigned)(definition->drain_s ? *definition->drain_s : 0));
}

/* ---- start and stop ---- */

static err_t open_bus(struct svc *svc)
{
	struct bus_options options = {
		.service = svc->definition->name,
		.instance = svc->instance,
		.fleet_key_file = settings.fleet_key_file,
		.listen = settings.bus_listen,
		.advertise = *settings.bus_advertise != '\0' ? settings.bus_advertise : NULL,
	};

	return bus_open(&svc->bus, &options);
}

/* Waits with back-off until PostgreSQL has what this service needs; ERR_CANCELLED if told to stop.
 */
static err_t wait_database(struct svc *svc)
{
	struct db *db = svc_db_create(svc);
	int64_t pause_ms = 100;
	err_t err = OK;

	for (;;) {
		struct fault fault = { "", "" };

		if (svc_transact_check(db, svc->definition->schema, &fault) == OK)
			break;
		log_warn("waiting_for_database", "error=%s action=\"trying again in %lld ms\"",
			log_value(fault.detail), (long long)pause_ms);
		if (wait_stop(pause_ms) != 0) {
			err = ERR_CANCELLED;
			break;
		}
		pause_ms = pause_ms < 2000 ? pause_ms * 2 : pause_ms;
	}
	db_destroy(db);
	return err;
}

static void start_fabric(struct svc *svc)
{
	struct fabric_options options = {
		.database_url = settings.database_url,
		.service = svc->definition->name,
		.bus = svc->bus,
		.context = svc,
		.state = database_state,
	};

	svc->fabric = fabric_start(&options);
}

static err_t serve(struct svc *svc)
{
	struct bus_server server = {
		.services = svc->definition->services,
		.workers = (int)settings.workers,
	};

	if (svc->definition->services == NULL)
		return OK;
	if (svc->definition->schema != NULL) {
		svc->transact = svc_transact_create(
			svc->definition->schema, settings.database_url, svc->definition->name);
		svc_transact_serve(svc->transact, &server);
	}
	return bus_serve(svc->bus, &server);
}

static void follow_events(struct svc *svc)
{
	struct event_consumer_options options = {
		.database_url = settings.database_url,
		.service = svc->definition->name,
		.schema = svc->definition->schema,
		.routes = svc->definition->events,
		.bus = svc->bus,
	};

	if (svc->definition->events != NULL)
		svc->events = event_consumer_start(&options);
}

static void run_tasks(struct svc *svc)
{
	if (svc->definition->schema != NULL)
		svc->tasks = svc_tasks_start(svc->bus, settings.database_url, svc->definition);
}

static err_t start(struct svc *svc)
{
	const struct svc_definition *definition = svc->definition;
	err_t err;

	svc_ready(svc, "start", "starting");
	svc_ready(svc, "database", "not reached yet");
	if ((err = ops_start(&svc->ops, settings.ops_listen, ready_reason, svc)) != OK ||
		(err = open_bus(svc)) != OK)
		return err;
	if (definition->schema != NULL && (err = wait_database(svc)) != OK)
		return err;
	start_fabric(svc);
	if (definition->start != NULL && (err = definition->start(svc)) != OK)
		return err;
	if ((err = serve(svc)) != OK)
		return err;
	fabric_join(svc->fabric);
	follow_events(svc);
	run_tasks(svc);
	svc_ready(svc, "start", NULL);
	log_info("started", "version=%s instance=%s bus=%s ops=%s", LANYARD_VERSION, svc->instance,
		bus_url(svc->bus), settings.ops_listen);
	return OK;
}

/* Leaves the list. While others serve the same, calls go on until callers have seen that. */
static void leave(struct svc *svc)
{
	bool others = svc->transact != NULL && bus_count(svc->bus, svc->definition->name) > 1;

	fabric_stop(svc->fabric);
	if (others)
		sleep(LEAVE_S);
}

static void stop(struct svc *svc, bool was_started)
{
	arm_exit(svc->definition);
	svc_ready(svc, "start", "stopping");
	if (was_started && svc->definition->drain != NULL)
		svc->definition->drain(svc);
	leave(svc);
	svc_tasks_stop(svc->tasks);
	event_consumer_stop(svc->events);
	if (!bus_close(svc->bus, DRAIN_MS))
		end_process(0); /* a worker still uses what would be freed */
	if (was_started && svc->definition->stop != NULL)
		svc->definition->stop(svc);
	svc_transact_destroy(svc->transact);
	ops_stop(svc->ops);
}

static int run(const struct svc_definition *definition)
{
	struct svc svc = { .definition = definition, .mutex = PTHREAD_MUTEX_INITIALIZER };
	err_t err;

	uuid_new(svc.instance);
	err = start(&svc);
	if (err == OK)
		log_info("stopping", "signal=%s", sigabbrev_np(wait_stop(-1)));
	else if (err != ERR_CANCELLED)
		log_error("start_failed", "error=%s", err_name(err));
	stop(&svc, err == OK);
	if (err == OK || err == ERR_CANCELLED)
		log_info("stopped", "instance=%s", svc.instance);
	return err == OK || err == ERR_CANCELLED ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- the command line ---- */

static void print_help(
	const struct svc_definition *definition, const struct config_entry *const tables[])
{
	printf("lanyard-%s %s: %s\n\n"
	       "usage: lanyard-%s [--help | --check | --health | --version]\n"
	       "  --help     this text\n"
	       "  --check    read the settings, print them with secrets starred, and exit\n"
	       "  --health   ask the process that runs with these settings whether it is ready, "
	       "and "
	       "exit:\n"
	       "             0 it is, 1 it is not, or does not answer\n"
	       "  --version  print the version and exit\n\n",
		definition->name, LANYARD_VERSION, definition->summary, definition->name);
	if (definition->arguments != NULL) {
		printf("Options that stand for settings:\n");
		arguments_help(definition->arguments, stdout);
		printf("\n");
	}
	printf("Settings are environment variables:\n");
	config_help(tables, stdout);
}

static bool read_log_level(enum log_level *level)
{
	static const char *const words[] = { "error", "warn", "info", "debug" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(settings.log_level, words[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	fprintf(stderr, "LANYARD_LOG_LEVEL: expected error, warn, info or debug\n");
	return false;
}

static bool prepare_settings(const struct svc_definition *definition)
{
	struct fault fault = { "", "" };

	if (definition->prepare == NULL || definition->prepare(&fault) == OK)
		return true;
	fprintf(stderr, "%s: %s\n", fault.field, fault.detail);
	return false;
}

static bool check_settings(const struct svc_definition *definition)
{
	struct fault fault = { "", "" };

	if (strncmp(settings.bus_listen, "tcp://", strlen("tcp://")) != 0)
		fault_set(&fault, ERR_INVALID_ARGUMENT, "LANYARD_BUS_LISTEN",
			"expected tcp://ADDRESS:PORT");
	else if (definition->check == NULL || definition->check(&fault) == OK)
		return true;
	fprintf(stderr, "%s: %s\n", fault.field, fault.detail);
	return false;
}

int svc_main(const struct svc_definition *definition, int argc, char **argv)
{
	const struct config_entry *const tables[] = { common,
		definition->config != NULL ? definition->config : none, NULL };
	enum arguments_mode mode;
	enum log_level level;

	if (arguments_read(definition->arguments, argc, argv, &mode) != OK)
		return 2;
	if (mode == ARGUMENTS_HELP) {
		print_help(definition, tables);
		return EXIT_SUCCESS;
	}
	if (mode == ARGUMENTS_VERSION) {
		printf("lanyard-%s %s\n", definition->name, LANYARD_VERSION);
		return EXIT_SUCCESS;
	}
	if (!prepare_settings(definition) || config_load(tables, environ) != OK ||
		!read_log_level(&level) || !check_settings(definition))
		return 2;
	if (mode == ARGUMENTS_CHECK) {
		config_print(tables, stdout);
		return EXIT_SUCCESS;
	}
	if (mode == ARGUMENTS_HEALTH)
		return ops_health(settings.ops_listen) == OK ? EXIT_SUCCESS : EXIT_FAILURE;
	privileges_hide();
	log_open(definition->name, level);
	block_signals();
	if (sodium_init() < 0)
		BUG("libsodium does not start");
	tls_start(); /* libpq uses OpenSSL too, in each thread */
	return run(definition);
}

/* ---- for definitions ---- */

struct bus *svc_bus(struct svc *svc)
{
	return svc->bus;
}

const char *svc_instance(struct svc *svc)
{
	return svc->instance;
}

const char *svc_database_url(struct svc *svc)
{
	(void)svc;
	return settings.database_url;
}

struct db *svc_db_create(struct svc *svc)
{
	return db_create(settings.database_url, svc->definition->name);
}
