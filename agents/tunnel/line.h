/*
 * line: one connection of a tunnel to a node, from dialling to its end, with the visitors that come
 * by it. The loop's thread.
 */
#pragma once

#include "agents/opening.h"
#include "agents/tunnel/visits.h"

struct line;

struct line_options {
	struct loop *loop;
	struct fetcher *fetcher;
	struct tls_trust *trust;
	struct congestion *congestion;
	const struct url *url;
	const char *authorization;
	const struct visits_target *tls, *http;
	void *context;
	void (*opened)(void *context, struct line *line); /* must not destroy it */
	/* It is over, and to be destroyed; `why` is a part of a sentence, of the line. */
	void (*ended)(
		void *context, struct line *line, const struct ending *ending, const char *why);
	/* The node is about to stop: another line shall take its place. */
	void (*retires)(void *context, struct line *line);
};

/* Begins to connect. All of the options is kept. */
struct line *line_create(const struct line_options *options);

/* Closes it, and what goes through it, at once. NULL is fine. */
void line_destroy(struct line *line);

bool line_is_open(const struct line *line);

void line_figures(const struct line *line, struct visits_figures *figures);
