/*
 * holder: what strangers and holders of names do by a name's token: the methods of dns.proto behind
 * the registration API. In workers of the bus.
 */
#pragma once

#include "lib/call.h"
#include "proto/dns.pb-c.h"
#include "services/dns/directory.h"

#include <stdbool.h>

/* What the operator chose; set once, then read only. */
struct holder_settings {
	struct directory *directory;
	const char *names_zone; /* the fleet's, for hosts that are in no zone */
	const char *reserved;	/* words that nobody may register */
	const char *api_url;	/* in mails; "": https://api.ZONE */
	bool reclaim_hint; /* tell who shows the owner's mail address that the name can be reclaimed
			    */
	bool public_local_ips;
	const char *tunnel_urls; /* of nodes, separated by blanks */
	long expire_s;		 /* seconds of silence that a name survives; 0: all */
};
extern struct holder_settings holder_settings;

/* The zone that a host name is of, if strangers may register names there. */
err_t holder_zone(
	struct call *call, const char *host, const struct directory_zone **zone) MUST_CHECK;

err_t holder_subscribe(struct call *call, const Dns__SubscribeRequest *request,
	Dns__Subscription *reply) MUST_CHECK;
err_t holder_contact(
	struct call *call, const Dns__ContactRequest *request, Dns__Empty *reply) MUST_CHECK;
err_t holder_get_holding(
	struct call *call, const Dns__TokenRef *request, Dns__Holding *reply) MUST_CHECK;
err_t holder_set_challenge(
	struct call *call, const Dns__ChallengeRequest *request, Dns__Empty *reply) MUST_CHECK;
err_t holder_release(
	struct call *call, const Dns__ReleaseRequest *request, Dns__Empty *reply) MUST_CHECK;
err_t holder_reclaim(
	struct call *call, const Dns__ReclaimRequest *request, Dns__Empty *reply) MUST_CHECK;
err_t holder_set_email(
	struct call *call, const Dns__EmailRequest *request, Dns__Empty *reply) MUST_CHECK;
err_t holder_verify_email(
	struct call *call, const Dns__VerifyRequest *request, Dns__Empty *reply) MUST_CHECK;
err_t holder_revoke_email(
	struct call *call, const Dns__TokenRef *request, Dns__Empty *reply) MUST_CHECK;
err_t holder_list_near(
	struct call *call, const Dns__NearRequest *request, Dns__NearList *reply) MUST_CHECK;
err_t holder_set_discovery(
	struct call *call, const Dns__DiscoveryRequest *request, Dns__Empty *reply) MUST_CHECK;
err_t holder_get_tunnel(
	struct call *call, const Dns__TokenRef *request, Dns__Tunnel *reply) MUST_CHECK;
err_t holder_find_tunnel(
	struct call *call, const Dns__NameRef *request, Dns__Tunnel *reply) MUST_CHECK;
err_t holder_check_kite(struct call *call, const Dns__Kite *request, Dns__Tunnel *reply) MUST_CHECK;
