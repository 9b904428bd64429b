/*
 * words: checks of what profiles and notices are made of, each as it comes from outside. Any
 * thread.
 */
#pragma once

#include "lib/call.h"

#include <stdbool.h>
#include <stddef.h>

#define WORDS_PROFILE_ID_MAX 64

/* What apps take for the name of a profile: 1 to 64 of A-Z, a-z, 0-9, '-' and '.'. */
bool words_is_profile_id(const char *text);

/* Texts in other languages, each "LANGUAGE=TEXT" with a tag as BCP 47 has it, of at most `max`
 * bytes, one for a language. */
err_t words_check_translations(
	struct call *call, size_t n, char *const texts[], size_t max) MUST_CHECK;

/* A host name, or an IPv4 or IPv6 address. */
err_t words_check_host(struct call *call, const char *field, const char *host) MUST_CHECK;

/* "udp/1194", at most 16 and each once. */
err_t words_check_ports(struct call *call, size_t n, char *const ports[]) MUST_CHECK;

/* "openvpn" and "wireguard", each once; none is openvpn. */
err_t words_check_protocols(struct call *call, size_t n, char *const protocols[]) MUST_CHECK;

/* At most 64 ranges of either family; or addresses, at most 8. */
err_t words_check_routes(struct call *call, size_t n, char *const routes[]) MUST_CHECK;
err_t words_check_dns(struct call *call, size_t n, char *const addresses[]) MUST_CHECK;
