/* network_events: the event streams of networks, for main.c. */
#pragma once

struct event_streams;

struct event_streams *event_streams_create(void);
void event_streams_destroy(struct event_streams *streams); /* all closed; NULL is fine */
