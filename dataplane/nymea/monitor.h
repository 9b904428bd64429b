/*
 * monitor: the socket of nymea-remoteproxy-monitor. Up to 1.8 it only reads, a document a second;
 * from 1.9 on it asks. Here a monitor is pushed to until it asks. Also the clock of the log engine.
 * The loop's thread.
 */
#pragma once

#include "lib/err.h"

struct monitor;
struct nymea;

err_t monitor_open(struct monitor **out, struct nymea *nymea) MUST_CHECK;
void monitor_close(struct monitor *monitor);   /* on the loop; NULL is fine */
void monitor_destroy(struct monitor *monitor); /* when its clients are gone; NULL is fine */

/* The log engine of the node; NULL: there is none. */
struct log_engine *monitor_log_engine(const struct monitor *monitor);
