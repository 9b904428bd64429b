/*
 * box_admit: a device that comes with the token of its name, to link itself. dns is asked what the
 * token opens; while it can't be asked nobody is let in. The loop's thread; the call runs in a
 * thread of its pool.
 */
#pragma once

#define BOX_PATH "/tunnel"

struct dataplane;
struct http;

/* Answers the request, now or later. */
void box_admit(struct dataplane *dataplane, struct http *http);

/* A name has changed: what was asked about before is asked again. */
void box_admit_changed(void);
