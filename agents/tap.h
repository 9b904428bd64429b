/*
 * tap: the TAP interface: one Ethernet frame a read or write. It exists as long as it is open.
 */
#pragma once

#include "lib/err.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TAP_FRAME_MIN 14 /* an Ethernet header */
#define TAP_FRAME_MAX (65535 + 14)

struct tap {
	int fd;
	char name[IFNAMSIZ];
	bool gone;			/* it was deleted */
	uint64_t frames_out, bytes_out; /* read from the interface */
	uint64_t frames_in, bytes_in;	/* written to it */
	uint64_t dropped;		/* not written: too short, or refused by the kernel */
};

/* Is it a name that an interface, and a file, can have? */
err_t tap_check_name(const char *name, struct fault *fault) MUST_CHECK;

/* Makes interface `name` (checked), down, in the network namespace of the thread. */
err_t tap_open(struct tap *tap, const char *name, struct fault *fault) MUST_CHECK;
void tap_close(struct tap *tap);

/* Reads a frame: its length; 0: there is none now; -1: the interface is down, or tap->gone. */
ssize_t tap_read(struct tap *tap, uint8_t *buf, size_t size);

/* Writes a frame, or counts it as dropped. */
void tap_write(struct tap *tap, const uint8_t *frame, size_t len);
