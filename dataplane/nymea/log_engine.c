/* log_engine: see log_engine.h. */
#include "dataplane/nymea/log_engine.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

struct log_engine {
	const char *prefix;
	int day; /* of the year, of the files that are written */
};

static char *path_of(const struct log_engine *engine, const char *which)
{
	return xasprintf("%s-%s.log", engine->prefix, which);
}

/* At the first line of a day the files of the day before are put aside. */
static void turn_over(struct log_engine *engine, const struct tm *now)
{
	static const char *const files[] = { "statistics", "tunnels" };
	char stamp[32];

	if (engine->day == now->tm_yday)
		return;
	strftime(stamp, sizeof(stamp), "%Y%m%d%H%M%S", now);
	for (size_t i = 0; engine->day >= 0 && i < ARRAY_LEN(files); i++) {
		AUTO_FREE char *path = path_of(engine, files[i]);
		AUTO_FREE char *aside = xasprintf("%s-%s-%s.log", engine->prefix, files[i], stamp);

		rename(path, aside);
	}
	engine->day = now->tm_yday;
}

static void write_line(struct log_engine *engine, const char *which, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void write_line(struct log_engine *engine, const char *which, const char *format, ...)
{
	AUTO_FREE char *path = path_of(engine, which);
	time_t now_s = (time_t)(clock_unix_ms() / 1000);
	struct tm now;
	va_list args;
	FILE *file;

	turn_over(engine, localtime_r(&now_s, &now));
	if (!(file = fopen(path, "ae"))) {
		LOG_THROTTLED(LOG_LEVEL_WARN, "log_engine_failed",
			"path=%s cause=\"%m\" action=\"check LANYARD_NYMEA_LOG_ENGINE\"",
			log_value(path));
		return;
	}
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fclose(file);
}

struct log_engine *log_engine_create(const char *prefix)
{
	struct log_engine *engine = xcalloc(1, sizeof(*engine));

	engine->prefix = prefix;
	engine->day = -1;
	return engine;
}

void log_engine_destroy(struct log_engine *engine)
{
	free(engine);
}

void log_engine_second(
	struct log_engine *engine, unsigned tunnels, unsigned connections, uint64_t throughput)
{
	write_line(engine, "statistics", "%" PRId64 " %u %u %" PRIu64 "\n", clock_unix_ms() / 1000,
		tunnels, connections, throughput);
}

void log_engine_tunnel(struct log_engine *engine, const struct log_tunnel *tunnel)
{
	AUTO_FREE char *user = xstrdup(tunnel->user);

	for (char *at = user; *at != '\0'; at++)
		if (*at == ' ')
			*at = '_'; /* the fields of a line are parted by blanks */
	write_line(engine, "tunnels", "%" PRId64 " %" PRId64 " %s %s %s %" PRIu64 "\n",
		clock_unix_ms() / 1000, tunnel->start_s, user, tunnel->one, tunnel->other,
		tunnel->bytes);
}
