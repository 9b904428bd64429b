/*
 * agent: keeps one TAP interface connected to one network: gets an attachment from the portal, or
 * has one from the command line, sets the interface up, holds a session with a node, and begins
 * again after each end (backoff.h tells when and how). The loop's thread.
 */
#pragma once

#include "agents/hooks.h"
#include "agents/lan/link.h"
#include "agents/loop.h"
#include "agents/proxy.h"
#include "agents/state.h"

#include "lib/congestion.h"
#include "lib/err.h"
#include "lib/tap.h"
#include "lib/tls.h"

struct agent;

struct agent_options {
	struct loop *loop;
	const struct device *device;	     /* kept; NULL: there is no portal, but an */
	const struct attachment *attachment; /* kept */
	bool bridge;			     /* other stations are behind the interface */
	struct tls_trust *trust;	     /* kept */
	struct congestion *congestion;	     /* kept */
	const struct proxy *proxy;	     /* kept */
	struct hooks *hooks;		     /* kept; NULL: none */
	const char *network;		     /* id or name; NULL: the device's only one */
	const char *netns; /* of the interface, for the status; NULL: the process's own */
	struct tap *tap;   /* kept */
	struct link *link; /* kept */
	void *context;
	void (*stopped)(void *context); /* after agent_stop, when the session is closed */
	void (*failed)(void *context);	/* can't go on (the log says why) */
};

/* Begins. Fails if the interface can't be set as the attachment of the options says. */
err_t agent_create(
	struct agent **agent, const struct agent_options *options, struct fault *fault) MUST_CHECK;

/* Closes the session and runs the last hook; `stopped` follows. Again: without waiting. */
void agent_stop(struct agent *agent);

void agent_destroy(struct agent *agent); /* NULL is fine */

/* How it is, as one JSON object (docs/agent.md has the members); the text is the caller's. */
char *agent_status(const struct agent *agent);
