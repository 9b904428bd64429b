/* est: the handlers of proto/est.proto, as provision.h. */
#pragma once

#include "lib/call.h"
#include "proto/est.pb-c.h"

err_t get_est_authorities(
	struct call *call, const Provision__Empty *request, Provision__EstReply *reply) MUST_CHECK;
err_t est_enrol(struct call *call, const Provision__EstEnrolRequest *request,
	Provision__EstReply *reply) MUST_CHECK;
err_t identify_certificate(struct call *call, const Provision__EstCertificate *request,
	Provision__EstIdentity *reply) MUST_CHECK;
