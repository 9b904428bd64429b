/*
 * drain: the time between the word to stop and the end, in which sessions move to other nodes. It
 * is over when all have gone, at the latest after the window.
 */
#pragma once

struct dataplane;

/* Waits for it, if there are other nodes. Not on the loop. */
void drain_run(struct dataplane *dataplane);
