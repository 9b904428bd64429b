/* static_key: keys that OpenVPN's servers and clients share (tls-auth, tls-crypt). Any thread. */
#pragma once

#include "lib/call.h"

/* Refuses all but the form of `openvpn --genkey secret FILE`, or nothing; its words are OpenVPN's
 * to check. */
err_t static_key_check(struct call *call, const char *field, const char *key) MUST_CHECK;

/* A new one. */
const char *static_key_create(struct arena *arena);
