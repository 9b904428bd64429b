/*
 * tap: a TAP interface: one Ethernet frame a read or write, each with its virtio header (struct
 * virtio_net_hdr, 10 bytes, little-endian). With offload, a frame may be of up to 64 KB, whose
 * header tells how to cut it and which checksum is still to be made; without, the kernel cuts and
 * sums before a read, and headers are all zero. An interface that tap_open made exists as long as
 * it is open. One thread at a time.
 */
#pragma once

#include "lib/err.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TAP_HEADER_LEN 10
#define TAP_FRAME_MIN  14 /* an Ethernet header */
#define TAP_FRAME_MAX  (65535 + 14)

struct tap {
	int fd;
	char name[IFNAMSIZ];
	uint8_t mac[6]; /* as it was when it was opened */
	bool offload;
	bool takes_datagrams;		/* super-frames of UDP, with offload: Linux 6.2 */
	bool gone;			/* it was deleted */
	uint64_t frames_out, bytes_out; /* read from the interface */
	uint64_t frames_in, bytes_in;	/* written to it */
	uint64_t dropped;		/* not written: too short, or refused by the kernel */
};

/* Is it a name that an interface, and a file, can have? */
err_t tap_check_name(const char *name, struct fault *fault) MUST_CHECK;

/*
 * Makes interface `name` (checked), down, without offload, in the network namespace of the thread.
 * With `attach`, one that exists already and is of no other program is taken, and stays afterwards.
 */
err_t tap_open(struct tap *tap, const char *name, bool attach, struct fault *fault) MUST_CHECK;
void tap_close(struct tap *tap);

/* Switches offload on, as far as the kernel has it, or off. */
void tap_set_offload(struct tap *tap, bool on);

/* Reads a frame of up to `size` bytes: its length; 0: there is none now; -1: the interface is down,
 * or tap->gone. */
ssize_t tap_read(struct tap *tap, uint8_t header[TAP_HEADER_LEN], uint8_t *frame, size_t size);

/* Writes a frame, or counts it as dropped. `header` NULL: a plain one; else it fits the frame
 * (lib/offload.h). A super-frame of UDP is cut if the kernel can't do that. */
void tap_write(struct tap *tap, const uint8_t *header, const uint8_t *frame, size_t len);
