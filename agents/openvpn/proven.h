/*
 * proven: which certificate has shown a code in which session. OpenVPN gives a client a token for
 * its session, so that nobody is asked for a code at each reconnection; but the token says nothing
 * about the certificate, and another one shall not profit from it. The loop's thread.
 */
#pragma once

#include "agents/openvpn/management.h"

#include <stdbool.h>

#define PROVEN_S     43200 /* as auth-gen-token has it */
#define PROVEN_COUNT 4096

struct proven;

struct proven *proven_create(void);
void proven_destroy(struct proven *proven); /* NULL is fine */

/* The client was let in by its code. */
void proven_add(struct proven *proven, const struct management_event *event);

/* It shows a good token of a session in which its certificate has shown a code. */
bool proven_has(const struct proven *proven, const struct management_event *event);
