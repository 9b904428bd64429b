/*
 * remote: the protocol of PowerDNS' remote backend: one JSON object asks,
 * {"method": "lookup", "parameters": {...}}, one answers, {"result": ...}. Everything is read from
 * the directory; what PowerDNS keeps with us goes to the database by `change`.
 */
#pragma once

#include "lib/call.h"
#include "services/dns/directory.h"

struct remote {
	struct directory *directory;
	/* Runs `work` in a transaction of the fleet, commits, and brings the directory up to date.
	 * NULL: nothing can be changed. */
	err_t (*change)(void *context, err_t (*work)(struct call *call, void *arg), void *arg);
	void *context;
};

/*
 * Answers one question with one line of JSON (no line feed), in the arena. What is malformed or not
 * offered is answered {"result":false,"log":[...]}. While nothing is known yet the answer has no
 * result: PowerDNS 4.7 then says SERVFAIL, while "result":false would make it say REFUSED or that
 * the name does not exist.
 */
const char *remote_answer(
	const struct remote *remote, const char *question, size_t len, struct arena *arena);
