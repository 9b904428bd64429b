/*
 * address: IP addresses that an interface can be given. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* An address with its prefix length. */
struct address {
	int family; /* AF_INET, AF_INET6; AF_UNSPEC: there is none */
	uint8_t bytes[16];
	uint8_t prefix_len;
	char text[64];
};

/* Reads "10.77.0.1/24" or "fd00::1/64" of `family`. False if it is none, or one that an interface
 * can't have. */
bool address_read(struct address *address, int family, const char *text);
