/*
 * boxes: the devices that hold a name and have a link to this node, by their names. The loop's
 * thread.
 *
 * How a device is linked is the business of a kind of box (box_link.h is one); each has a struct
 * box in its link, and gives visitors a place there. A device that comes again takes the place of
 * its earlier link at once, here or on another node.
 */
#pragma once

#include "dataplane/net/proxy_protocol.h"
#include "dataplane/relay/relay.h"
#include "dataplane/switch/bucket.h"
#include "dataplane/tunnel/hello.h"
#include "lib/hash.h"
#include "lib/mux.h"
#include "lib/uuid.h"

#include <stdbool.h>
#include <stdint.h>

struct box;
struct boxes;
struct dataplane;

/* Who comes. */
struct box_visitor {
	enum mux_kind kind;
	const char *address;
	struct proxy_ends ends; /* of its connection */
};

struct box_kind {
	/* Gives the visitor a place and returns the end that stands for it. */
	struct relay_end *(*enter)(struct box *box, const struct box_visitor *visitor);
	/* Asks the device to link to another node; NULL: it can't be asked. */
	void (*retire)(struct box *box);
	/* Ends the link and all that goes through it, now; boxes_remove included. */
	void (*close)(struct box *box, const char *reason);
};

struct box {
	const struct box_kind *kind;
	/* what its token opened */
	char registration[UUID_SIZE], tenant[UUID_SIZE], device[UUID_SIZE]; /* device "": none */
	char name[HELLO_NAME_MAX];
	int64_t admitted_s; /* Unix time */
	char id[UUID_SIZE]; /* of the connection */
	/* boxes.c's own */
	struct boxes *boxes; /* NULL: not in it */
	bool retired;	     /* it was asked to link to another node */
	bool moved; /* it has: this link is for the visitors that are on it, and not in `names` */
	unsigned n_places;
	struct bucket rate;
	UT_hash_handle by_name, by_id;
};

struct boxes_settings {
	long streams; /* at once, of one name */
	long rate;    /* new ones a second, of one name */
};

/* Keeps both. */
struct boxes *boxes_create(struct dataplane *dataplane, const struct boxes_settings *settings);
void boxes_destroy(struct boxes *boxes); /* when all links are gone; NULL is fine */

/* Takes the box in, in the place of one with the same name; it is announced to the other nodes. */
void boxes_add(struct boxes *boxes, struct box *box);

/* Says again that it is here; ends it if it is known to be elsewhere now. */
void boxes_announce(struct box *box);

/* Its link is gone. One that is not in boxes is fine. */
void boxes_remove(struct box *box);

struct box *boxes_find(struct boxes *boxes, const char *name);
struct box *boxes_find_id(struct boxes *boxes, const char *id);

/* Gives the visitor a place; NULL: the name has too many, now or in this second. */
struct relay_end *boxes_enter(struct box *box, const struct box_visitor *visitor);

/* A visitor has left. */
void boxes_left(struct box *box);

/* The node stops in `left_ms`: asks so many devices to link to another one that all have been by
 * half of that time, if called every `step_ms`. How many such links there are still. */
unsigned boxes_thin_out(struct boxes *boxes, unsigned step_ms, unsigned left_ms);

/* Ends the connection, if it is here: its device is linked to another node now. One that was asked
 * to goes on until its visitors are gone. */
void boxes_end_moved(struct boxes *boxes, const char *id);

/* End those of the registration, or of the subject ("device:UUID", "tenant:UUID") that came before
 * `not_before`. */
void boxes_end_registration(struct boxes *boxes, const char *registration, const char *reason);
void boxes_end_subject(struct boxes *boxes, const char *subject, int64_t not_before);
