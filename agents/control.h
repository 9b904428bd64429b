/*
 * control: how lanyard status and down reach the other commands that run: a unix
 * socket in the state folder, one for each interface or name, for root only. A request is one line
 * ("status" or "down"), the answer is JSON and the end of the stream; that of "down" ends when the
 * process does.
 */
#pragma once

#include "agents/loop.h"

#include "lib/err.h"

#include <stddef.h>

#define CONTROL_ANSWER_MAX 8192
#define CONTROL_KEY_SIZE   64
#define CONTROL_KEYS_MAX   32

/* Who serves. */
enum control_of {
	CONTROL_UP,	   /* lanyard up or connect; the key is the interface's name */
	CONTROL_EXPOSE,	   /* lanyard expose; the key is the exposed name's label */
	CONTROL_OPENVPN,   /* lanyard openvpn; the key is the name of OpenVPN's interface */
	CONTROL_WIREGUARD, /* lanyard wireguard; the key is the name of its interface */
	CONTROL_PACKAGES,  /* lanyard packages; the key is CONTROL_ONLY, as there is one */
	CONTROL_KINDS,
};

#define CONTROL_ONLY "device"

struct control;

struct control_options {
	struct loop *loop;
	enum control_of of;
	const char *dir; /* the state folder */
	const char *key;
	void *context;
	char *(*status)(void *context); /* the answer's text, malloc'ed */
	void (*down)(void *context);
};

/* Opens the socket. ERR_ALREADY_EXISTS: another process serves this key. */
err_t control_open(struct control **control, const struct control_options *options,
	struct fault *fault) MUST_CHECK;
void control_close(struct control *control); /* NULL is fine */

/*
 * Sends `request` to the process that serves `key` (NULL: the only one) and reads the answer until
 * the end of the stream. ERR_NOT_FOUND: none is running.
 */
err_t control_ask(enum control_of of, const char *dir, const char *key, const char *request,
	char answer[CONTROL_ANSWER_MAX], struct fault *fault) MUST_CHECK;

/* The keys that have a socket; how many. A killed process leaves its behind. */
size_t control_list(
	enum control_of of, const char *dir, char keys[CONTROL_KEYS_MAX][CONTROL_KEY_SIZE]);
