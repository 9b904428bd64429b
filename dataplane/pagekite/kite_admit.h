/*
 * kite_admit: a client of PageKite that comes to the door of the tunnel: what it has signed is
 * checked by dns, and it becomes a link. While dns can't be asked nobody is let in. The loop's
 * thread; the calls run in a thread of its pool.
 */
#pragma once

struct dataplane;
struct stream;

/* Takes the stream; its first bytes, which look like a handshake, were not taken. */
void kite_admit(struct dataplane *dataplane, struct stream *stream);

/* A name has changed: what was asked about before is asked again. */
void kite_admit_changed(void);
