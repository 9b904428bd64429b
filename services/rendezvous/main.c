/*
 * rendezvous: makes pairs: two clients that show one token with one nonce become one tunnel.
 *
 * Bus:    service rendezvous.Rendezvous of proto/rendezvous.proto; dataplane nodes claim and
 *         release.
 * State:  schema rendezvous (db/migrations/0004_rendezvous.sql and later).
 * Events: publishes "pair" when a pair ends and its connections are to end with it, and
 *         "server_replaced" when a tunnel server has come again to another node.
 */
#include "services/rendezvous/claims.h"
#include "services/rendezvous/rendezvous.h"
#include "services/rendezvous/tunnel.h"

#include "lib/svc.h"
#include "proto/rendezvous.pb-c.h"

#define SERVICE Rendezvous__Rendezvous_Service

BUS_HANDLER(SERVICE, rendezvous_claim, Rendezvous__ClaimRequest, Rendezvous__ClaimResult,
	RENDEZVOUS__CLAIM_RESULT__INIT)
BUS_HANDLER(SERVICE, rendezvous_release, Rendezvous__ReleaseRequest, Rendezvous__Empty,
	RENDEZVOUS__EMPTY__INIT)
BUS_HANDLER(SERVICE, rendezvous_count, Rendezvous__ReleaseRequest, Rendezvous__Empty,
	RENDEZVOUS__EMPTY__INIT)
BUS_HANDLER(SERVICE, rendezvous_get_pair, Rendezvous__Ref, Rendezvous__Pair, RENDEZVOUS__PAIR__INIT)
BUS_HANDLER(SERVICE, rendezvous_list_pairs, Rendezvous__ListRequest, Rendezvous__PairList,
	RENDEZVOUS__PAIR_LIST__INIT)
BUS_HANDLER(
	SERVICE, rendezvous_close_pair, Rendezvous__Ref, Rendezvous__Pair, RENDEZVOUS__PAIR__INIT)
BUS_HANDLER(SERVICE, rendezvous_list_traffic, Rendezvous__TrafficRequest, Rendezvous__TrafficList,
	RENDEZVOUS__TRAFFIC_LIST__INIT)
BUS_HANDLER(SERVICE, rendezvous_register_server, Rendezvous__TunnelServer, Rendezvous__Empty,
	RENDEZVOUS__EMPTY__INIT)
BUS_HANDLER(SERVICE, rendezvous_release_server, Rendezvous__TunnelServerRef, Rendezvous__Empty,
	RENDEZVOUS__EMPTY__INIT)
BUS_HANDLER(SERVICE, rendezvous_find_server, Rendezvous__TunnelServerRef, Rendezvous__TunnelServer,
	RENDEZVOUS__TUNNEL_SERVER__INIT)

static Rendezvous__Rendezvous_Service service = RENDEZVOUS__RENDEZVOUS__INIT(on_rendezvous_);

static ProtobufCService *const services[] = { &service.base, NULL };

static const struct svc_task tasks[] = {
	{ "sweep", RENDEZVOUS_SWEEP_S, rendezvous_sweep },
	{ 0 },
};

static const struct svc_definition definition = {
	.name = "rendezvous",
	.summary = "makes one tunnel of two clients that show one token with one nonce",
	.services = services,
	.schema = "rendezvous",
	.tasks = tasks,
};

int main(int argc, char **argv)
{
	return svc_main(&definition, argc, argv);
}
