/*
 * tunnel: the servers whose one connection carries many clients: which node holds it. Methods of
 * the rendezvous service, in the transaction of their call.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"
#include "proto/rendezvous.pb-c.h"

err_t rendezvous_register_server(struct call *call, const Rendezvous__TunnelServer *request,
	Rendezvous__Empty *reply) MUST_CHECK;
err_t rendezvous_release_server(struct call *call, const Rendezvous__TunnelServerRef *request,
	Rendezvous__Empty *reply) MUST_CHECK;
err_t rendezvous_find_server(struct call *call, const Rendezvous__TunnelServerRef *request,
	Rendezvous__TunnelServer *server) MUST_CHECK;

/* Forgets servers whose node is gone. */
err_t tunnel_sweep(struct call *call) MUST_CHECK;
