/*
 * follow: keeps the directory as the database is: at start, when a doorbell rings, and every few
 * seconds. While PostgreSQL is away the directory stays as it was. One thread of its own;
 * follow_now from any.
 */
#pragma once

#include "lib/err.h"
#include "services/dns/directory.h"

struct follow;
struct svc;

struct follow *follow_start(struct svc *svc, struct directory *directory); /* both kept */
void follow_stop(struct follow *follow);				   /* NULL is fine */

/* Reads what has changed, at once. */
err_t follow_now(struct follow *follow) MUST_CHECK;
