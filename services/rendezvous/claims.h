/*
 * claims: Claim, Release and Count of proto/rendezvous.proto, which nodes call for many clients at
 * once: one transaction and a few statements for all of them. In workers of the bus.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"
#include "proto/rendezvous.pb-c.h"

#define CLAIMS_MAX 256 /* of one call */

err_t rendezvous_claim(struct call *call, const Rendezvous__ClaimRequest *request,
	Rendezvous__ClaimResult *result) MUST_CHECK;
err_t rendezvous_release(struct call *call, const Rendezvous__ReleaseRequest *request,
	Rendezvous__Empty *reply) MUST_CHECK;
err_t rendezvous_count(struct call *call, const Rendezvous__ReleaseRequest *request,
	Rendezvous__Empty *reply) MUST_CHECK;
