/*
 * edges: which addresses of the tunnel take connections just now: names are told those only, so
 * that visitors don't come to a node that is away. Every node reaches every device, so it does not
 * matter where a device is linked. A thread of its own.
 */
#pragma once

#include "lib/err.h"
#include "services/dns/records.h"

struct edges;

struct edges_options {
	struct records_settings *records; /* kept; `away` is set here */
	long port;			  /* tried at each address */
	err_t (*changed)(void);		  /* in edges' own thread; again until it is OK */
};

struct edges *edges_start(const struct edges_options *options);
void edges_stop(struct edges *edges); /* NULL is fine */
