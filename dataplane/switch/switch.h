/*
 * switch: networks, their ports, and where each frame goes. Pure logic: it sees neither sockets nor
 * tokens. The loop's thread.
 *
 * A network of a tenant is one broadcast domain; it exists while it has ports. A port belongs to
 * one member and may send with one source address only. Ports are reached through their own network
 * alone, so no frame can leave it.
 */
#pragma once

#include "dataplane/net/packet.h"
#include "dataplane/switch/stations.h"
#include "lib/err.h"
#include "lib/hash.h"

#define SWITCH_ID_LEN 37 /* UUID text with its NUL */

struct domain;
struct switch_ctx;

struct port {
	/* Set by the owner before switch_attach. */
	char member[SWITCH_ID_LEN];
	uint64_t mac;
	void (*deliver)(
		struct port *port, struct packet *frame); /* must neither attach nor detach */

	struct domain *domain;	/* NULL: not attached */
	struct station station; /* domain.stations */
	UT_hash_handle hh;	/* domain.ports */
};

/* What became of a frame. */
enum switch_verdict {
	SWITCH_FORWARDED,
	SWITCH_BAD_LENGTH,     /* shorter than a header or longer than any frame */
	SWITCH_BAD_SOURCE,     /* not the port's own address */
	SWITCH_NO_DESTINATION, /* nobody has the address, or the sender itself has it */
};

struct switch_ctx *switch_create(void);
void switch_destroy(struct switch_ctx *ctx); /* must have no ports left */

/*
 * Puts the port into a network; keeps it. The member's earlier port is detached and put into
 * `replaced` (NULL if there was none). ERR_ALREADY_EXISTS when another member has the address:
 * nothing was changed.
 */
err_t switch_attach(struct switch_ctx *ctx, const char *tenant, const char *network,
	struct port *port, struct port **replaced) MUST_CHECK;

/* Takes the port out, if it is in. */
void switch_detach(struct switch_ctx *ctx, struct port *port);

/* Forwards a frame that came in through an attached port. */
enum switch_verdict switch_forward(struct port *from, struct packet *frame);
