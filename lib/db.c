/*
 * db: connections, transactions and statements of PostgreSQL.
 *
 * A struct db belongs to one thread at a time: a bus worker, a consumer of events, a task.
 */
#include "lib/db.h"

#include "lib/clock.h"
#include "lib/log.h"

#include <libpq-fe.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREPARED_MAX 256

struct db {
	const char *url;
	const char *application;
	PGconn *connection;				   /* NULL: not connected */
	const struct db_statement *prepared[PREPARED_MAX]; /* index = number in its name */
	size_t n_prepared;
	char constraint[64];
};

static const struct db_statement begin_statement = { "BEGIN" };
static const struct db_statement scope_statement = {
	"SELECT set_config('lanyard.tenant', $1, true), set_config('statement_timeout', $2, true)"
};
static const struct db_statement commit_statement = { "COMMIT" };

struct db *db_create(const char *url, const char *application)
{
	struct db *db = xcalloc(1, sizeof(*db));

	db->url = url;
	db->application = application;
	return db;
}

static void disconnect(struct db *db)
{
	PQfinish(db->connection);
	db->connection = NULL;
	db->n_prepared = 0;
}

void db_destroy(struct db *db)
{
	if (db == NULL)
		return;
	disconnect(db);
	free(db);
}

static void ignore_notice(void *arg, const PGresult *result)
{
	(void)arg;
	(void)result;
}

/* PostgreSQL ends its messages with line feeds; a log line and a fault want none. */
static const char *one_line(struct fault *fault, const char *message)
{
	static __thread char line[sizeof(fault->detail)];
	size_t len;

	snprintf(line, sizeof(line), "%s", message);
	len = strlen(line);
	while (len > 0 && line[len - 1] == '\n')
		line[--len] = '\0';
	for (size_t i = 0; i < len; i++)
		if (line[i] == '\n')
			line[i] = ' ';
	return line;
}

err_t db_connect(struct db *db, struct fault *fault)
{
	const char *const keywords[] = { "dbname", "application_name", "connect_timeout",
		"keepalives_idle", "tcp_user_timeout", "options", "client_encoding", NULL };
	const char *const values[] = { db->url, db->application, "5", "30", "20000",
		"-c idle_in_transaction_session_timeout=60000", "UTF8", NULL };

	if (db->connection != NULL && PQstatus(db->connection) == CONNECTION_OK)
		return OK;
	disconnect(db);
	db->connection = PQconnectdbParams(keywords, values, 1);
	if (PQstatus(db->connection) != CONNECTION_OK) {
		LOG_THROTTLED(LOG_LEVEL_WARN, "database_connect", "error=%s",
			log_value(one_line(fault, PQerrorMessage(db->connection))));
		disconnect(db);
		return fault_set(fault, ERR_UNAVAILABLE, NULL, "the database can't be reached");
	}
	PQsetNoticeReceiver(db->connection, ignore_notice, NULL);
	return OK;
}

/* ---- errors ---- */

static const struct {
	const char *state; /* SQLSTATE or its class of two characters */
	err_t err;
} states[] = {
	{ "23505", ERR_ALREADY_EXISTS },
	{ "23503", ERR_FAILED_PRECONDITION },
	{ "23514", ERR_FAILED_PRECONDITION },
	{ "23P01", ERR_FAILED_PRECONDITION },
	{ "40001", ERR_ABORTED },
	{ "40P01", ERR_ABORTED },
	{ "57014", ERR_DEADLINE_EXCEEDED },
	{ "25P03", ERR_DEADLINE_EXCEEDED },
	{ "22", ERR_INVALID_ARGUMENT },
	{ "25006", ERR_UNAVAILABLE }, /* a standby, or an operator made it read-only */
	{ "08", ERR_UNAVAILABLE },
	{ "53", ERR_UNAVAILABLE },
	{ "57P", ERR_UNAVAILABLE },
};

static err_t err_of_state(const char *state)
{
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (strncmp(state, states[i].state, strlen(states[i].state)) == 0)
			return states[i].err;
	return ERR_INTERNAL;
}

static void tell(struct fault *fault, err_t err, const char *message)
{
	switch (err) {
	case ERR_UNAVAILABLE:
		fault_set(fault, err, NULL, "the database can't be reached, or takes no changes");
		break;
	case ERR_DEADLINE_EXCEEDED:
		fault_set(fault, err, NULL, "the database did not answer in time");
		break;
	case ERR_ABORTED:
		fault_set(fault, err, NULL, "another change came in between; try again");
		break;
	case ERR_INVALID_ARGUMENT:
		fault_set(fault, err, NULL, "a value has a form that can't be stored");
		break;
	case ERR_INTERNAL:
		fault_set(fault, err, NULL, "internal error; the service's log has the reason");
		log_error("database_statement_failed", "error=%s", log_value(message));
		break;
	default: /* a constraint: the caller knows what it means */
		fault_set(fault, err, NULL, "refused by a rule of the database");
	}
}

/* Says what went wrong; a broken connection is dropped, so that the next transaction makes a new
 * one. */
static err_t failure(struct db *db, struct fault *fault, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
	const char *message = one_line(fault, PQerrorMessage(db->connection));
	bool broken = PQstatus(db->connection) != CONNECTION_OK;
	err_t err = state != NULL ? err_of_state(state) : broken ? ERR_UNAVAILABLE : ERR_INTERNAL;

	snprintf(
		db->constraint, sizeof(db->constraint), "%s", constraint != NULL ? constraint : "");
	if (err == ERR_UNAVAILABLE)
		LOG_THROTTLED(
			LOG_LEVEL_WARN, "database_unavailable", "error=%s", log_value(message));
	tell(fault, err, message);
	if (broken)
		disconnect(db);
	return err;
}

const char *db_constraint(const struct db *db)
{
	return db->constraint;
}

/* ---- statements ---- */

static bool is_good(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

/* Writes the name under which the statement is prepared; `is_new` if that is still to be done. */
static void statement_name(
	struct db *db, const struct db_statement *statement, char name[16], bool *is_new)
{
	size_t i = 0;

	while (i < db->n_prepared && db->prepared[i] != statement)
		i++;
	*is_new = i == db->n_prepared;
	if (i == PREPARED_MAX)
		BUG("more than %d statements", PREPARED_MAX);
	snprintf(name, 16, "s%zu", i);
}

static err_t prepare(
	struct db *db, const struct db_statement *statement, struct fault *fault, char name[16])
{
	PGresult *result;
	bool is_new;
	err_t err = OK;

	statement_name(db, statement, name, &is_new);
	if (!is_new)
		return OK;
	result = PQprepare(db->connection, name, statement->sql, 0, NULL);
	if (!is_good(result))
		err = failure(db, fault, result);
	else
		db->prepared[db->n_prepared++] = statement;
	PQclear(result);
	return err;
}

static err_t execute(struct db *db, const struct db_statement *statement, struct fault *fault,
	struct db_rows **rows, size_t n, const char *const params[])
{
	PGresult *result;
	char name[16];
	err_t err;

	db->constraint[0] = '\0';
	if ((err = prepare(db, statement, fault, name)) != OK)
		return err;
	result = PQexecPrepared(db->connection, name, (int)n, params, NULL, NULL, 0);
	if (!is_good(result)) {
		err = failure(db, fault, result);
		PQclear(result);
		return err;
	}
	if (rows != NULL) {
		PQclear((PGresult *)*rows);
		*rows = (struct db_rows *)result;
	} else {
		PQclear(result);
	}
	return OK;
}

/* ---- transactions ---- */

/* Sends BEGIN and the scope in one round trip. */
static err_t begin_scoped(struct db *db, struct call *call)
{
	const char *params[2] = { call->tenant, NULL };
	char timeout[24], begin[16], scope[16];
	PGresult *result;
	err_t err;

	snprintf(timeout, sizeof(timeout), "%lld", (long long)call_left_ms(call) + 1);
	params[1] = timeout;
	if ((err = prepare(db, &begin_statement, &call->fault, begin)) != OK ||
		(err = prepare(db, &scope_statement, &call->fault, scope)) != OK)
		return err;
	PQenterPipelineMode(db->connection);
	PQsendQueryPrepared(db->connection, begin, 0, NULL, NULL, NULL, 0);
	PQsendQueryPrepared(db->connection, scope, 2, params, NULL, NULL, 0);
	PQpipelineSync(db->connection);
	/* Each statement's result is followed by a NULL, the sync's is not. */
	for (int i = 0; i < 3; i++) {
		result = PQgetResult(db->connection);
		if (err == OK && !is_good(result) && PQresultStatus(result) != PGRES_PIPELINE_SYNC)
			err = failure(db, &call->fault, result);
		PQclear(result);
		if (db->connection == NULL)
			return err;
		if (i < 2)
			PQclear(PQgetResult(db->connection));
	}
	PQexitPipelineMode(db->connection);
	return err;
}

err_t db_begin(struct db *db, struct call *call)
{
	bool was_connected = db->connection != NULL;
	err_t err;

	if ((err = db_connect(db, &call->fault)) != OK)
		return err;
	err = begin_scoped(db, call);
	/* A connection that died while it was idle is found out only now; nothing has been done
	 * yet. */
	if (err == ERR_UNAVAILABLE && was_connected && db_connect(db, &call->fault) == OK)
		err = begin_scoped(db, call);
	if (err == OK)
		call->db = db;
	return err;
}

err_t db_commit(struct db *db, struct call *call)
{
	call->db = NULL;
	if (db->connection != NULL && PQtransactionStatus(db->connection) == PQTRANS_INERROR) {
		/* COMMIT would answer "ROLLBACK" and look like success. */
		db_rollback(db, call);
		return call_refuse(call, ERR_INTERNAL, NULL, "a failed transaction was committed");
	}
	if (db->connection == NULL)
		return call_refuse(call, ERR_UNAVAILABLE, NULL, "the database can't be reached");
	return execute(db, &commit_statement, &call->fault, NULL, 0, NULL);
}

void db_rollback(struct db *db, struct call *call)
{
	call->db = NULL;
	if (db->connection != NULL && PQtransactionStatus(db->connection) != PQTRANS_IDLE)
		PQclear(PQexec(db->connection, "ROLLBACK"));
	if (db->connection != NULL && PQstatus(db->connection) != CONNECTION_OK)
		disconnect(db);
}

err_t db_transaction(
	struct db *db, struct call *call, err_t (*work)(struct call *call, void *arg), void *arg)
{
	const char *tenant = call->tenant;
	err_t err;

	do {
		call->rings = NULL;
		call->tenant = tenant; /* the attempt before may have narrowed it */
		if ((err = db_begin(db, call)) != OK)
			return err;
		if ((err = work(call, arg)) == OK)
			err = db_commit(db, call);
		if (err != OK)
			db_rollback(db, call);
	} while (err == ERR_ABORTED && call_left_ms(call) > 0);
	return err;
}

err_t db_query(struct call *call, const struct db_statement *statement, struct db_rows **rows,
	size_t n, const char *const params[])
{
	if (call->db == NULL)
		BUG("no transaction for: %.60s", statement->sql);
	/* The connection broke earlier in this transaction. */
	if (call->db->connection == NULL)
		return call_refuse(call, ERR_UNAVAILABLE, NULL, "the database can't be reached");
	return execute(call->db, statement, &call->fault, rows, n, params);
}

const char *db_array(struct arena *arena, size_t n, char *const texts[])
{
	size_t size = 3; /* "{}" and NUL */
	char *text, *out;

	for (size_t i = 0; i < n; i++)
		size += 2 * strlen(texts[i]) + 3;
	text = out = arena_alloc(arena, size);
	*out++ = '{';
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			*out++ = ',';
		*out++ = '"';
		for (const char *from = texts[i]; *from != '\0'; from++) {
			if (*from == '"' || *from == '\\')
				*out++ = '\\';
			*out++ = *from;
		}
		*out++ = '"';
	}
	*out = '}';
	return text;
}
