/*
 * sealer: one direction of a connection between two processes that have a secret for it alone:
 * records sealed with AES-256-GCM. Their order is part of the seal, so that none can be left out,
 * sent again or put elsewhere; the key changes as the connection goes on, and those before can't be
 * found from it. One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define SEALER_KEY_LEN	  32
#define SEALER_SALT_LEN	  12
#define SEALER_SECRET_LEN (SEALER_KEY_LEN + SEALER_SALT_LEN)
#define SEALER_TAG_LEN	  16 /* by which a record is longer than what it holds */

struct sealer;

/* One end seals, the other one opens. A secret is for one sealer at each of them. */
struct sealer *sealer_create(const uint8_t secret[SEALER_SECRET_LEN], bool seals);
void sealer_destroy(struct sealer *sealer); /* NULL is fine */

/* Seals the parts, one behind the other, as the next record in `out`; returns its length. */
size_t sealer_seal(struct sealer *sealer, uint8_t *out, const struct iovec *parts, size_t n);

/* Opens the next record into `out`, which has room for len - SEALER_TAG_LEN. False: it is not the
 * record that was sealed next; what is in `out` means nothing, and nothing more can be opened. */
bool sealer_open(struct sealer *sealer, uint8_t *out, const uint8_t *record, size_t len);
