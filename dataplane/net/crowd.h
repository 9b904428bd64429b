/*
 * crowd: how many connections of a kind come from each address: all behind one may be one attacker.
 * Owns nothing while nobody is there. Embedded in its owner; the loop's thread.
 */
#pragma once

#include <stdbool.h>

struct crowd_address;

struct crowd {
	struct crowd_address *by_address; /* NULL is a good start */
};

/* May one more come? Those of unix sockets, who have no address of their own, always may. */
bool crowd_has_room(const struct crowd *crowd, const char *address, long limit);

void crowd_enter(struct crowd *crowd, const char *address);
void crowd_leave(struct crowd *crowd, const char *address); /* who has entered */
