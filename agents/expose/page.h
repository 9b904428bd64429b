/*
 * page: how a new device gets its first name (docs/expose.md). Two small web servers on the loop:
 * one in the local network sends who comes to it, with a key, to the device's MAC name over https;
 * the other, behind a door, lets only those in who bring a key, and asks for a name. The only code
 * of the agent that sees libmicrohttpd.
 */
#pragma once

#include "agents/loop.h"

#include "lib/err.h"

struct page;

/* What there is to tell. Texts live until the next call. */
struct page_view {
	const char *mac_name; /* fully qualified; "": not known yet */
	bool mac_ready;	      /* it can be reached over https */
	const char *zone;     /* of names, for people to see; "": not known yet */
	const char *label;    /* that was chosen; "": none yet */
	const char *name;     /* the same, fully qualified; "": not registered yet */
	bool ready;	      /* it can be reached over https */
	bool taken;	      /* the chosen one is somebody else's: another is needed */
	const char *problem;  /* what holds things up; "": nothing */
};

struct page_options {
	struct loop *loop;
	const char *listen; /* ADDRESS:PORT in the local network */
	void *context;
	void (*look)(void *context, struct page_view *view);
	void (*choose)(void *context, const char *label); /* one that is fine */
};

err_t page_open(
	struct page **page, const struct page_options *options, struct fault *fault) MUST_CHECK;
void page_close(struct page *page); /* NULL is fine */

/* Where the server behind the door listens: ADDRESS:PORT. */
const char *page_address(const struct page *page);
