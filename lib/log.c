/* log: structured lines on stderr. Any thread. */
#include "lib/log.h"

#include "lib/clock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_LEN  1024
#define VALUE_MAX_LEN 200
#define N_VALUES      4

static struct {
	const char *service;
	enum log_level level;
} logger = { "lanyard", LOG_LEVEL_INFO };

static const char *const level_names[] = { "error", "warn", "info", "debug" };

void log_open(const char *service, enum log_level level)
{
	logger.service = service;
	logger.level = level;
}

static int print_head(char *line, size_t size, enum log_level level, const char *event)
{
	int64_t now_ms = clock_unix_ms();
	time_t now_s = (time_t)(now_ms / 1000);
	struct tm utc;
	char stamp[32];

	gmtime_r(&now_s, &utc);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
	return snprintf(line, size, "%s.%03dZ %s %s %s ", stamp, (int)(now_ms % 1000),
		level_names[level], logger.service, event);
}

void log_write(enum log_level level, const char *event, const char *format, ...)
{
	char line[LINE_MAX_LEN + 1];
	int saved = errno;
	size_t len;
	va_list args;

	if (level > logger.level)
		return;
	len = (size_t)print_head(line, LINE_MAX_LEN, level, event);
	va_start(args, format);
	errno = saved; /* for %m */
	vsnprintf(line + len, LINE_MAX_LEN - len, format, args);
	va_end(args);

	len = strlen(line);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0) {
		/* Nowhere left to say it. */
	}
	errno = saved;
}

const char *log_value(const char *text)
{
	static __thread char values[N_VALUES][VALUE_MAX_LEN + 8];
	static __thread unsigned turn;
	char *out = values[turn++ % N_VALUES];
	size_t len = 0;

	out[len++] = '"';
	for (; *text != '\0' && len < VALUE_MAX_LEN; text++) {
		if (*text == '"' || *text == '\\')
			out[len++] = '\\';
		out[len++] = (unsigned char)*text < ' ' ? '?' : *text;
	}
	if (*text != '\0')
		len += (size_t)sprintf(out + len, "...");
	out[len++] = '"';
	out[len] = '\0';
	return out;
}

int log_admit(long long *last_s)
{
	long long now_s = clock_ms() / 1000;
	long long last = __atomic_load_n(last_s, __ATOMIC_RELAXED);

	if (last == now_s && now_s != 0)
		return 0;
	return __atomic_compare_exchange_n(
		last_s, &last, now_s, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}
