/*
 * dataplane: what the parts of the node share. One object, in main.c; all but the settings and the
 * handles of threads belongs to the loop's thread.
 */
#pragma once

#include "dataplane/net/channel.h"
#include "dataplane/net/crowd.h"
#include "dataplane/net/listener.h"
#include "dataplane/identity.h"
#include "dataplane/loop.h"
#include "dataplane/admit/hosts.h"
#include "dataplane/admit/refused.h"
#include "dataplane/nymea/nymea.h"
#include "dataplane/relay/guest.h"
#include "dataplane/switch/session.h"
#include "dataplane/tunnel/front.h"
#include "dataplane/admit/verifier.h"
#include "dataplane/vpnws/vpnws.h"
#include "lib/svc.h"
#include "lib/worker.h"

struct dataplane {
	/* settings */
	const char *listen;
	const char *proxies_setting;
	struct proxies proxies; /* the same, parsed */
	const char *hosts_setting;
	struct hosts hosts; /* the same */
	struct identity_settings identity_settings;
	const char *issuer;
	const char *congestion;
	long ping_s;
	struct vpnws_settings vpnws_settings;
	const char *link_listen;
	const char *node_name;
	bool redirects;
	long drain_s;
	long pair_ping_s, pair_idle_s; /* 0: never */
	long pair_per_address;
	struct nymea_settings nymea_settings;
	struct front_settings front_settings;

	struct svc *svc;
	struct bus *bus;
	const char *instance;
	struct loop *loop;
	struct worker *keys; /* keeps the verifier's keys fresh */

	/* the loop's */
	struct listener *listener;
	struct streams *streams;
	struct identity *identity;
	struct congestion *control;
	struct vpnws *vpnws;
	struct verifier *verifier;
	struct refused *refused;
	struct sessions *sessions;
	struct guests *guests; /* clients that pair */
	struct crowd pairs;    /* those at /pair */
	struct desk *desks;    /* claims of theirs under way: relay/claim.c */
	struct links *links;   /* to other nodes */
	struct trunks *trunks; /* the same, for networks */
	struct nymea *nymea;   /* faces for nymea's clients */
	struct live *live;     /* what pairs and tunnels carry just now */
	struct front *front;   /* doors of the tunnel */
	struct boxes *boxes;   /* devices that hold names */
	struct locator *locator;
	struct visitors *visitors; /* whose device is looked for */
	unsigned n_waiting;	   /* connections that another service decides about just now */
};

/* Who the node is, in its calls to others. */
#define DATAPLANE_ACTOR "service:dataplane"
