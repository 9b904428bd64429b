/*
 * control: how lanyard status and down reach the running lanyard up: a unix socket in the state
 * folder, one for each interface, for root only. A request is one line ("status" or "down"), the
 * answer is JSON and the end of the stream; that of "down" ends when the process does.
 */
#pragma once

#include "agents/loop.h"

#include "lib/err.h"

#include <stddef.h>

#define CONTROL_ANSWER_MAX 8192

struct control;

struct control_options {
	struct loop *loop;
	const char *dir; /* the state folder */
	const char *interface;
	void *context;
	char *(*status)(void *context); /* the answer's text, malloc'ed */
	void (*down)(void *context);
};

/* Opens the socket. ERR_ALREADY_EXISTS: another process serves this interface. */
err_t control_open(struct control **control, const struct control_options *options,
	struct fault *fault) MUST_CHECK;
void control_close(struct control *control); /* NULL is fine */

/*
 * Sends `request` to the process that serves `interface` (NULL: the only one) and reads the answer
 * until the end of the stream. ERR_NOT_FOUND: none is running.
 */
err_t control_ask(const char *dir, const char *interface, const char *request,
	char answer[CONTROL_ANSWER_MAX], struct fault *fault) MUST_CHECK;
