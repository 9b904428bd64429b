/*
 * loop: the one event loop (libuv) that owns all connections, and how other threads hand it work.
 *
 * Nothing behind it takes a lock: sessions, relays, switch and verifier are only touched by what
 * runs on the loop's thread. Bus workers and event handlers come in through loop_post and
 * loop_call; what would block the loop (calls to other services) goes out through loop_work.
 */
#pragma once

#include "lib/err.h"

#include <stdbool.h>
#include <uv.h>

struct loop;

/* Starts the thread. Logged; ERR_RESOURCE_EXHAUSTED if the system refuses. */
err_t loop_start(struct loop **out) MUST_CHECK;

/* Waits until the loop has nothing left to do, and frees it. What runs on it must have closed its
 * own handles by then. NULL is fine. */
void loop_join(struct loop *loop);

/* Runs on the loop, soon. From any thread. False: the loop has ended, it will never run. */
bool loop_post(struct loop *loop, void (*run)(void *arg), void *arg);

/* The same, and waits until it has run. Not from the loop's thread. */
bool loop_call(struct loop *loop, void (*run)(void *arg), void *arg);

/* Lets go of the door for other threads, so that the loop can end. On the loop. */
void loop_end(struct loop *loop);

/* Runs `work` in a thread of a small pool, then `done` on the loop. On the loop. */
void loop_work(struct loop *loop, void (*work)(void *arg), void (*done)(void *arg), void *arg);

uv_loop_t *loop_uv(struct loop *loop);
