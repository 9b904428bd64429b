/*
 * signer: signs for a tenant what its agents have to believe, with a key and a certificate that
 * are for this alone. They are made when they are first needed, and anew long before they end or
 * when another authority issues. Runs in the thread of the call.
 */
#pragma once

#include "lib/call.h"
#include "proto/manifest.pb-c.h"

/* Fills signature, chain and trust for the manifest that is in the message already. */
err_t signer_sign(struct call *call, Provision__SignedManifest *message) MUST_CHECK;
