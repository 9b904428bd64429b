/*
 * vault: what provision keeps secret in PostgreSQL (keys of authorities, credentials in packages),
 * sealed under the keys of LANYARD_PROVISION_KEY_FILE. The file has the form of the fleet's keys:
 * its first key seals, every one opens; it is read again when it has changed. Opened once, before
 * the first thread; then any thread.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"

#define VAULT_ID_LEN 9 /* a key's id with its NUL */

/* `path` is kept. What is wrong with the file is logged. */
err_t vault_open(const char *path) MUST_CHECK;

/* Seals a text for one use, such as "authority/ID": it opens for that use only. In the arena:
 * "KEY-ID:hex digits". */
const char *vault_seal(struct arena *arena, const char *use, const char *text);

/* Undoes it. ERR_DATA_LOSS, logged, if its key is not in the file or it was changed. */
err_t vault_unseal(
	struct call *call, const char *use, const char *sealed, const char **text) MUST_CHECK;

/* The id of the key that seals now: what does not begin with it and a colon should be sealed anew.
 */
void vault_key_id(char id[VAULT_ID_LEN]);

/* The task: seals anew what is sealed under another key than the first, some of it at a time. */
err_t vault_reseal(struct call *call) MUST_CHECK;
