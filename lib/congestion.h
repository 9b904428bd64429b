/*
 * congestion: which congestion control of the kernel the connections between members and nodes
 * use. One thread at a time.
 *
 * A VPN's connection carries streams that see no loss of their own, so a loss on its way must not
 * make all of them slow. Where loss or distance can be seen (TCP_INFO), bbr is many times as fast
 * as controls that wait for loss; on a short way without loss it only costs. So "auto" begins with
 * the system's default and changes to bbr when there is a reason.
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

/* A connection's segments from its begin to when it was looked at; zero before. */
struct congestion_mark {
	uint32_t n_sent;
	uint32_t n_retransmitted;
};

/* Looks at a connection. True: its control is decided, there is no need to look again. */
bool congestion_look(struct congestion *congestion, int fd, struct congestion_mark *mark);

/* What TCP_INFO says, and what follows from it; for congestion_look and its test. */
struct congestion_path {
	uint32_t min_rtt_us; /* 0: not known yet */
	uint32_t n_sent;     /* segments since the mark */
	uint32_t n_retransmitted;
};
bool congestion_is_reason(const struct congestion_path *path);
