/*
 * introspect: what RemoteProxy.Introspect answers, to the byte, for each API of nymea-remoteproxy.
 * Any thread.
 */
#pragma once

enum introspect_port { INTROSPECT_PAIRING, INTROSPECT_TUNNEL };

/* The answer for a port that calls its API `version`, as Hello tells it: "0.3", "5" or "6";
 * malloc'ed. */
char *introspect_answer(enum introspect_port port, const char *version, int id);
