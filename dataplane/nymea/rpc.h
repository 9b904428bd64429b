/*
 * rpc: the JSON-RPC of nymea-remoteproxy: requests taken apart and checked as loosely as there, and
 * answers, notifications and error texts to the byte (keys sorted, compact, one LF at the end). Any
 * thread.
 */
#pragma once

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>

enum rpc_type {
	RPC_STRING, /* takes numbers, bools and null too */
	RPC_UINT,   /* takes all but null, arrays and objects */
	RPC_UUID,   /* takes strings only, whatever stands in them */
};

struct rpc_param {
	const char *name; /* NULL ends the list, which is in the order of names */
	enum rpc_type type;
	bool optional;
};

struct rpc_method {
	const char *name; /* "Namespace.Method"; NULL ends the table */
	struct rpc_param params[5];
	int call; /* what it is to the owner of the table */
};

/* A request that is good as far as its form goes. */
struct rpc_request {
	json_t *document;
	json_t *params; /* of the document; NULL: none, or something that is no object */
	const struct rpc_method *method;
	int id;
};

/* How a request is refused: what is sent, and the reason that the connection is closed with. */
struct rpc_refusal {
	char *answer; /* malloc'ed */
	const char *reason;
};

/* Reads a document. False: `refusal` is filled, and `request` empty. */
bool rpc_read(struct rpc_request *request, const struct rpc_method methods[], const char *text,
	size_t len, struct rpc_refusal *refusal);
void rpc_finish(struct rpc_request *request);

/* A parameter as text, malloc'ed; "" for one that is not there. */
char *rpc_text(const struct rpc_request *request, const char *name);

/* The answer with these `params`, which it takes; malloc'ed, as all of these. */
char *rpc_answer(int id, json_t *params);
char *rpc_error(int id, const char *error);
char *rpc_notification(int id, const char *name, json_t *params);

/* A document as Qt prints it over several lines, with LF at the end; malloc'ed. */
char *rpc_indented(const json_t *value);
