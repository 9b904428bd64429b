/*
 * proxies: the addresses of proxies that tell whose connections they pass on (PROXY protocol), from
 * the setting. Any thread.
 */
#pragma once

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define PROXIES_MAX 64

struct proxies {
	struct {
		uint8_t address[16]; /* an IPv4 one mapped into IPv6 */
		unsigned prefix_len;
	} rows[PROXIES_MAX];
	size_t n;
};

/* Reads addresses, each with "/PREFIX" or without, separated by commas; "": none. */
err_t proxies_parse(struct proxies *proxies, const char *list, struct fault *fault) MUST_CHECK;

bool proxies_include(const struct proxies *proxies, const struct sockaddr_storage *address);
