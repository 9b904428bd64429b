/*
 * own_list: pages of what people have: authorizations and sign-ins, of one user or of all. Runs in
 * the thread of the call.
 */
#pragma once

#include "lib/call.h"
#include "lib/db.h"
#include "proto/oauth.pb-c.h"

/* The oldest first, and the newest first. Each is a SELECT of items by `id`, which begins behind
 * the cursor $2, for the user $3 or with NULL of all, and ends after $4. */
struct own_list {
	struct db_statement oldest, newest;
};

/* PAGE(compare, direction) is such a SELECT, with "id" compare "$2" and ORDER BY id direction. */
#define OWN_LIST(PAGE)                                                                             \
	{                                                                                          \
		{ PAGE(">", "") },                                                                 \
		{                                                                                  \
			PAGE("<", "DESC")                                                          \
		}                                                                                  \
	}

/* INVALID_ARGUMENT (cursor, user). `reply` is a message with items and next_cursor. */
err_t own_list_page(struct call *call, const struct own_list *list,
	const Auth__OwnListRequest *request, ProtobufCMessage *reply) MUST_CHECK;
