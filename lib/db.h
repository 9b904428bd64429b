/*
 * db: PostgreSQL. The only code that sees libpq.
 *
 * A struct db is one connection and belongs to one thread at a time. Statements are prepared at
 * their first use on a connection. Parameters are text, NULL for SQL NULL; nothing is ever pasted
 * into SQL.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"

#include <protobuf-c/protobuf-c.h>

#include <stdbool.h>
#include <stddef.h>

struct db;
struct db_rows;

/* Must be a static object: its address names the prepared statement. */
struct db_statement {
	const char *sql;
};

/* Makes an unconnected object; it connects at the first transaction and again after a failure.
 * `url` and `application` are kept. */
struct db *db_create(const char *url, const char *application);
void db_destroy(struct db *db); /* NULL is fine */

/* Tries to connect if there is no connection. ERR_UNAVAILABLE; PostgreSQL's words are in the log
 * only. */
err_t db_connect(struct db *db, struct fault *fault) MUST_CHECK;

/* Opens a transaction that sees the rows of call->tenant only (row-level security), and whose
 * statements end with the call's deadline. Sets call->db. */
err_t db_begin(struct db *db, struct call *call) MUST_CHECK;

/* Ends it; call->db becomes NULL. ERR_ABORTED: a conflict with another transaction, nothing was
 * changed, try again. ERR_UNAVAILABLE from db_commit: it is not known whether it was committed. */
err_t db_commit(struct db *db, struct call *call) MUST_CHECK;
void db_rollback(struct db *db, struct call *call);

/* Runs `work` in a transaction of the call's tenant and commits, again while that ends in
 * ERR_ABORTED and time is left. `work` may be run more than once, so it only changes what is in the
 * database. */
err_t db_transaction(struct db *db, struct call *call, err_t (*work)(struct call *call, void *arg),
	void *arg) MUST_CHECK;

/*
 * Runs a statement in the call's transaction. `params` has `n` texts. The rows belong to the caller
 * (AUTO_ROWS); `rows` may be NULL.
 *
 * Errors: unique_violation is ERR_ALREADY_EXISTS; foreign_key_violation, check_violation and
 * exclusion_violation are ERR_FAILED_PRECONDITION; serialisation failure and deadlock are
 * ERR_ABORTED (the whole call is run again by svc); a lost connection ERR_UNAVAILABLE; a statement
 * timeout ERR_DEADLINE_EXCEEDED; all else is logged and ERR_INTERNAL. After an error the
 * transaction can only be rolled back. For the first two kinds db_constraint() tells which
 * constraint.
 */
err_t db_query(struct call *call, const struct db_statement *statement, struct db_rows **rows,
	size_t n, const char *const params[]) MUST_CHECK;

/* DB_QUERY(call, &statement, &rows, a, b, c): db_query with its parameters counted. At least one.
 */
#define DB_QUERY(call, statement, rows, ...)                                                       \
	db_query(call, statement, rows,                                                            \
		sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(const char *),                    \
		(const char *const[]){ __VA_ARGS__ })

/* A parameter of type text[]. */
const char *db_array(struct arena *arena, size_t n, char *const texts[]);

/* Name of the violated constraint of the last error, "" if none. */
const char *db_constraint(const struct db *db);

size_t db_count(const struct db_rows *rows);
/* Text of a column of a row, borrowed from rows; "" for SQL NULL. A column that is not there is a
 * BUG. */
const char *db_text(const struct db_rows *rows, size_t row, const char *column);
long long db_int(const struct db_rows *rows, size_t row, const char *column);
bool db_bool(const struct db_rows *rows, size_t row, const char *column);
void db_rows_destroy_at(struct db_rows **slot);
#define AUTO_ROWS __attribute__((cleanup(db_rows_destroy_at))) struct db_rows *

/* Fills the message's fields that have the name of a column: strings (copied into the arena),
 * numbers, bools, and repeated strings from text[]. Other columns are ignored. */
void db_message(
	const struct db_rows *rows, size_t row, struct arena *arena, ProtobufCMessage *message);

/* Runs the statement, which must give at most one row, and fills `message` from it; with no row:
 * ERR_NOT_FOUND and a fault "no WHAT ID here" (`what` is the kind of thing, params[1] its id). */
err_t db_one(struct call *call, const struct db_statement *statement, ProtobufCMessage *message,
	const char *what, size_t n, const char *const params[]) MUST_CHECK;

/*
 * Fills a page: `list` is a message with `repeated X items` and `string next_cursor`. The
 * statement's rows are in the order of their column id; it takes the cursor and limit as any other
 * parameters: ask it for db_page_limit(limit) + 1 rows, so that db_page sees whether more follow.
 */
unsigned db_page_limit(unsigned limit);
err_t db_page(struct call *call, const struct db_statement *statement, ProtobufCMessage *list,
	unsigned limit, size_t n, const char *const params[]) MUST_CHECK;
