/*
 * congestion: which congestion control of the kernel the connections between members and nodes
 * use. One thread at a time.
 *
 * A VPN's connection carries streams that see no loss of their own, so a loss on its way must not
 * make all of them slow. Where loss or distance can be seen (TCP_INFO), bbr is many times as fast
 * as controls that wait for loss, and where those fill a long queue on the way, it leaves the queue
 * short; on a short way without loss it only costs. So "auto" begins with the system's default and
 * changes to bbr when there is a reason.
 */
#pragma once

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

#define CONGESTION_AUTO	   "auto"
#define CONGESTION_LOOK_MS 1000 /* how often a connection that sends should be looked at */

struct congestion;

/* `setting`: "auto" or the name of a congestion control, which the kernel must have and allow;
 * kept. */
err_t congestion_create(
	struct congestion **congestion, const char *setting, struct fault *fault) MUST_CHECK;
void congestion_destroy(struct congestion *congestion); /* NULL is fine */

/* Begins a connection: sets what was chosen by name. */
void congestion_begin(const struct congestion *congestion, int fd);

/* What is known of a connection from when it was looked at; zero before. */
struct congestion_mark {
	uint32_t n_sent, n_lost; /* segments, of which the last ones are counted from here */
	uint32_t n_seen;	 /* sent at the last look */
	uint32_t n_queued;	 /* looks one after the other that saw a queue on the way */
};

/* Looks at a connection. True: its control is decided, there is no need to look again. */
bool congestion_look(struct congestion *congestion, int fd, struct congestion_mark *mark);

/* What TCP_INFO says, and what follows from it; for congestion_look and its test. */
struct congestion_path {
	uint32_t rtt_us;
	uint32_t min_rtt_us;	 /* 0: not known yet */
	uint32_t n_sent, n_lost; /* segments with data since its begin */
};
bool congestion_is_reason(const struct congestion_path *path, struct congestion_mark *mark);
