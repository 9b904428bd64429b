/*
 * machine: what tells this machine apart, and where its neighbours find it: the MAC address of an
 * interface, and the addresses that it has there. Any thread.
 */
#pragma once

#include "lib/err.h"

#include <net/if.h>
#include <stdbool.h>
#include <sys/socket.h>

#define MACHINE_LABEL_SIZE     13 /* 12 hex digits with a NUL */
#define MACHINE_ADDRESSES_SIZE 400

/* The interface that leads to everybody else: that of the default route, else the first Ethernet.
 * ERR_NOT_FOUND: there is none. */
err_t machine_interface(char name[IF_NAMESIZE], struct fault *fault) MUST_CHECK;

/* The MAC address of the interface as a name: "020000000001". */
err_t machine_label(
	const char *interface, char label[MACHINE_LABEL_SIZE], struct fault *fault) MUST_CHECK;

/* The private addresses of the interface, separated by commas; "" if it has none. */
void machine_addresses(const char *interface, char out[MACHINE_ADDRESSES_SIZE]);

/* Is it the address of this machine or of a neighbour: not of somebody from the internet? */
bool machine_is_near(const struct sockaddr *address);
