/*
 * mem: allocation that does not fail, clean-up attributes, and the arena that holds what lives as
 * long as one request.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

/* As malloc, calloc, realloc and strdup; out of memory aborts: the supervisor restarts the process
 * and its state is in PostgreSQL. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

void mem_free_at(void *slot);
#define AUTO_FREE __attribute__((cleanup(mem_free_at)))

/* Logs the broken invariant and aborts, also in release builds. */
#define BUG(...) mem_bug(__FILE__, __LINE__, __VA_ARGS__)
void mem_bug(const char *file, int line, const char *format, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* An arena: allocations that are freed all at once. Belongs to one thread at a time. */
struct arena;

struct arena *arena_create(void);
void arena_destroy(struct arena *arena); /* NULL is fine */

/* Zeroed memory, aligned for any type; never NULL. */
void *arena_alloc(struct arena *arena, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void arena_destroy_at(struct arena **slot);
#define AUTO_ARENA __attribute__((cleanup(arena_destroy_at))) struct arena *
