/*
 * authority: what a VPN server asks of the portal: how it begins, who may connect, and who has to
 * go. Replies are checked here, nothing behind it checks again.
 */
#pragma once

#include "agents/address.h"
#include "agents/fetch.h"
#include "agents/openvpn/management.h"
#include "agents/reply.h"
#include "agents/state.h"

#include <jansson.h>

#include <stdbool.h>

#define AUTHORITY_REASON_SIZE 128
#define AUTHORITY_HOST_SIZE   65

typedef void (*authority_done)(void *context, const struct fetch_reply *reply);

/* How the server begins. */
struct vpn_start {
	char server[REPLY_ID_SIZE], run[REPLY_ID_SIZE];
	char host[AUTHORITY_HOST_SIZE];
	bool tcp, tun;
	uint32_t port, max_clients, mtu;
	struct address ipv4, ipv6;	    /* of the device in the network */
	char *certificate, *trust, *ta_key; /* PEM; "" for none */
	char *tls_crypt;		    /* of the profile; "": the server has none */
	char *pushed; /* its settings for clients, as lines of a configuration */
	bool two_factor;
};

/* `server` NULL: the device's only one; `csr` NULL: it has a certificate. */
struct fetch *authority_start(struct fetcher *fetcher, const struct device *device,
	const char *server, const char *csr, authority_done done, void *context);
/* vpn_start_finish it on OK. */
err_t authority_started(
	const struct fetch_reply *reply, struct vpn_start *start, struct fault *fault) MUST_CHECK;
void vpn_start_finish(struct vpn_start *start);

/* May a client come in? */
struct vpn_decision {
	bool allowed;
	char reason[AUTHORITY_REASON_SIZE]; /* printable, without quotes */
	char connection[REPLY_ID_SIZE];
	struct address ipv4, ipv6;
};

/* The same question again has the same answer. `proven`: a code was shown before with this
 * certificate. */
struct fetch *authority_ask(struct fetcher *fetcher, const struct device *device,
	const struct vpn_start *start, const struct management_event *event, bool proven,
	authority_done done, void *context);
err_t authority_answered(const struct fetch_reply *reply, struct vpn_decision *decision,
	struct fault *fault) MUST_CHECK;

/* Takes `items`, an array of authority_item. */
struct fetch *authority_report(struct fetcher *fetcher, const struct device *device,
	const struct vpn_start *start, json_t *items, authority_done done, void *context);
json_t *authority_item(const char *connection, uint64_t bytes_in, uint64_t bytes_out, bool gone);
/* Calls `unwelcome` for each connection that has to end. */
err_t authority_reported(const struct fetch_reply *reply,
	void (*unwelcome)(void *context, const char *connection), void *context,
	struct fault *fault) MUST_CHECK;
