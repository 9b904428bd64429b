/*
 * log: one structured line on stderr for each thing that an operator may want to know:
 *
 *     2026-03-01T12:00:00.123Z info auth started instance=... version=0.1.0
 *
 * `event` is a fixed word or words with underscores; the rest is key=value pairs made by the
 * format, and the caller passes any outside text through log_value(). A whole line is one write(),
 * and control characters in it are replaced, so no input can forge a second line. errno is left as
 * it was. Never log a token, a key or a password.
 */
#pragma once

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Sets the process's name in each line and the least important level that is written. `service` is
 * kept. Before the first call: "lanyard" and info. Not thread safe: call it first of all. */
void log_open(const char *service, enum log_level level);

void log_write(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Quotes outside text for a log line: returns one of a few static per-thread buffers, good until
 * the fourth next call in this thread. Cut at 200 bytes. */
const char *log_value(const char *text);

/* True at most once a second for each `cause` (a static variable of the caller): for what a
 * stranger can repeat at will. Thread safe. */
#define LOG_THROTTLED(level, event, ...)                                                           \
	do {                                                                                       \
		static long long throttle_last_s;                                                  \
		if (log_admit(&throttle_last_s))                                                   \
			log_write(level, event, __VA_ARGS__);                                      \
	} while (0)
int log_admit(long long *last_s);

#define log_error(event, ...) log_write(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...)  log_write(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_info(event, ...)  log_write(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) log_write(LOG_LEVEL_DEBUG, event, __VA_ARGS__)
