/*
 * we500_memory: what devices were told last, so that they are told the same as long as nothing has
 * changed, and also while provision or PostgreSQL is away. A table of fixed size; of who asked only
 * a keyed digest is kept. Thread safe.
 */
#pragma once

#include "lib/mem.h"
#include "proto/portal.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

/* How many changes were heard of so far: to be asked for before provision is asked. */
uint64_t we500_memory_changes(void);

/* Keeps a copy of the answer, which was asked for when there were so many changes. */
void we500_memory_keep(const Provision__PortalRequest *request,
	const Provision__PortalStatus *status, uint64_t changes, int64_t now_ms);

/* What was told to the device with this serial number has changed, whose tenant is this one; "": to
 * all devices of the tenant. */
void we500_memory_changed(const char *tenant, const char *serial);

/* As find, but only while nothing has changed, for an hour at most, to who asks from the same
 * address as before. The interval is a new one. `note`: provision has to be told that the device
 * was seen, which is so once a minute. */
bool we500_memory_fresh(struct arena *arena, const Provision__PortalRequest *request,
	int64_t now_ms, Provision__PortalStatus *status, bool *note);

/* Forgets who is no longer believed. */
void we500_memory_drop(const Provision__PortalRequest *request);

/* Fills the answer that was given within the last day; its texts are made in the arena. False if
 * there is none. */
bool we500_memory_find(struct arena *arena, const Provision__PortalRequest *request, int64_t now_ms,
	Provision__PortalStatus *status);
