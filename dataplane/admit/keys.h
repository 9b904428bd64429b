/*
 * keys: keeps the verifier's keys fresh, in a thread of its own: at the start until auth has
 * answered, then every 30 seconds and whenever it is woken.
 */
#pragma once

struct dataplane;

/* Asks auth once, before the doors open, so that nobody who comes is refused for want of keys. If
 * it has not answered within a second, the doors open all the same. */
void keys_first(struct dataplane *dataplane);

/* Starts dataplane->keys; the loop must run. Until there are keys the process is not ready. */
void keys_start(struct dataplane *dataplane);
