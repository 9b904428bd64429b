/*
 * session: members' live connections to their networks: a port of the switch each, with counters.
 * The loop's thread.
 */
#pragma once

#include "dataplane/net/channel.h"
#include "dataplane/switch/switch.h"
#include "lib/err.h"
#include "lib/token.h"
#include "proto/dataplane.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

#define SESSION_LIST_MAX 500 /* in one reply: it has to fit into a message of the bus */

struct arena;
struct sessions;

struct sessions *sessions_create(void);
void sessions_destroy(struct sessions *sessions); /* all must be closed; NULL is fine */

/* Makes the connection a session of the member that the claims name, which must have passed
 * session_claims_good; it begins with the face's opened. `token` is where they come from, ""
 * without: then its network is of this node only. `batches`: it speaks lanyard.l2.v1. */
void session_create(struct sessions *sessions, struct channel *channel,
	const struct token_claims *claims, const char *token, bool batches);

/* Members from whom nothing has come for so long are pinged from now on; 0: they are not. */
void sessions_set_silence(struct sessions *sessions, unsigned ms);

/* Asks those that can to move to another node, each at a moment of its own within the window. */
void sessions_ask_to_move(struct sessions *sessions, uint32_t window_ms);

/* Closes some of those that can't, so that all are closed in `left_ms` when it is called each
 * `step_ms`. How many sessions are left. */
unsigned sessions_thin_out(struct sessions *sessions, unsigned step_ms, unsigned left_ms);

/* Says who the session's client is in the words of the proxy before it; kept with the session. */
void session_set_names(struct channel *channel, const char *user, const char *dn);

/* Do the claims name a member with a network and an address? */
bool session_claims_good(const struct token_claims *claims);

/* Ends the sessions whose tokens a revocation of `subject` refuses (revoked_means). */
void sessions_end_subject(struct sessions *sessions, const char *subject, int64_t not_before);

void sessions_end_member(struct sessions *sessions, const char *member);

/* Ends the member's session if its token has an earlier policy than this version; it comes back
 * with a new token. */
void sessions_renew_member(struct sessions *sessions, const char *member, int64_t policy_version);

/* Live sessions of the network follow the rules from now on. */
void sessions_set_rules(struct sessions *sessions, const char *tenant, const char *network,
	const struct switch_rules *rules);

/* Ends one session of the tenant. ERR_NOT_FOUND if it is not here. */
err_t sessions_end(struct sessions *sessions, const char *tenant, const char *id) MUST_CHECK;

/* The same for the one with that number in a network. */
err_t sessions_end_number(struct sessions *sessions, const char *tenant, const char *network,
	uint32_t number) MUST_CHECK;

/* A live session as vpn-ws's status page has it. */
struct session_view {
	uint32_t number; /* counted from 1 on this node, never given twice */
	const struct port *port;
	const char *address;
	const char *user, *dn; /* by the proxy; without one, the token's subject and "" */
	int64_t started_at;
	uint64_t received, sent; /* bytes on the socket */
};

/* Shows the network's sessions, the oldest first. */
void sessions_visit(const struct sessions *sessions, const char *tenant, const char *network,
	void (*visit)(void *context, const struct session_view *view), void *context);

/* ---- for trunks to other nodes ---- */

/* What another node has to know of a session; texts live as long as the session. */
struct session_card {
	const char *tenant, *network;
	const char *id;
	const char *token; /* that it was admitted by */
	uint32_t number;   /* as in session_view */
};

/* `watch` hears of each session with a token that comes into a network (1) and goes (-1). */
void sessions_watch(struct sessions *sessions,
	void (*watch)(void *context, const char *tenant, const char *network, int by),
	void *context);

/* The session that the port is of. */
void session_describe(const struct port *port, struct session_card *card);

/* Gives the port's member a frame. */
void sessions_deliver(struct sessions *sessions, struct port *port, struct packet *frame);

/* Ends the session that the port is of. */
void sessions_evict(struct sessions *sessions, struct port *port, const char *why);

/* Counts frames of the port's member that went nowhere. */
void session_count_drop(struct port *port, enum drop why, uint64_t n);

/* Notes for operators what the switch saw at a port that stands for another node's session. */
void sessions_note(struct sessions *sessions, const struct session_card *card,
	const struct switch_notice *notice);

/* What the claims, which are good, say of the member's port and of its network. */
void session_fill_port(struct port *port, const struct token_claims *claims);
void session_read_rules(const struct token_claims *claims, struct switch_rules *rules);

/* The switch that their ports are of. */
struct switch_ctx *sessions_switch(const struct sessions *sessions);

/* switch_forward for a port of that switch that is no session. */
enum drop sessions_forward(struct sessions *sessions, struct port *from, struct packet *frame);

/*
 * Lists live sessions of the tenant (CALL_FLEET: of all) in the order of their ids: those that
 * the request asks for. Texts are in the arena; `node` goes into each as it is.
 */
void sessions_list(const struct sessions *sessions, const char *tenant, const char *node,
	const Dataplane__ListSessionsRequest *request, struct arena *arena,
	Dataplane__SessionList *list);

/* What happened in a network here: see journal_list. */
void sessions_list_events(const struct sessions *sessions, const char *tenant, const char *node,
	const Dataplane__ListNetworkEventsRequest *request, struct arena *arena,
	Dataplane__NetworkEventList *list);
