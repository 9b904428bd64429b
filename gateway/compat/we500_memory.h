/*
 * we500_memory: what devices were told last, so that they are told the same while provision or
 * PostgreSQL is away. A table of fixed size; of who asked only a keyed digest is kept. Thread safe.
 */
#pragma once

#include "lib/mem.h"
#include "proto/portal.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

/* Keeps a copy of the answer. */
void we500_memory_keep(const Provision__PortalRequest *request,
	const Provision__PortalStatus *status, int64_t now_ms);

/* Forgets who is no longer believed. */
void we500_memory_drop(const Provision__PortalRequest *request);

/* Fills the answer that was given within the last day; its texts are made in the arena. False if
 * there is none. */
bool we500_memory_find(struct arena *arena, const Provision__PortalRequest *request, int64_t now_ms,
	Provision__PortalStatus *status);
