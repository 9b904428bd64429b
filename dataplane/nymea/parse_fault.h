/*
 * parse_fault: what Qt's JSON parser says is wrong with a text, in its words: clients of
 * nymea-remoteproxy show them to people. Names a fault only; jansson is what reads (rpc.c). Any
 * thread.
 */
#pragma once

#include <stddef.h>

/* The fault of a text that was refused. */
const char *parse_fault(const char *text, size_t len);
