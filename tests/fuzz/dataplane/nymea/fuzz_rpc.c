/*
 * rpc: any text as a request: it is read, or refused with an answer that is one line of JSON.
 */
#include "dataplane/nymea/rpc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct rpc_method methods[] = {
	{ .name = "A.B",
		.params = { { "n", RPC_STRING, false }, { "o", RPC_STRING, true },
			{ "t", RPC_UINT, true }, { "u", RPC_UUID, true } } },
	{ .name = NULL },
};

static void check_answer(char *answer)
{
	json_t *document = json_loads(answer, JSON_ALLOW_NUL, NULL);
	size_t len = strlen(answer);

	if (!json_is_object(document) || answer[len - 1] != '\n' ||
		strchr(answer, '\n') != answer + len - 1)
		abort();
	json_decref(document);
	free(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rpc_request request;
	struct rpc_refusal refusal;

	if (rpc_read(&request, methods, (const char *)data, len, &refusal)) {
		free(rpc_text(&request, "n"));
		check_answer(rpc_answer(request.id, json_incref(request.document)));
		rpc_finish(&request);
	} else {
		check_answer(refusal.answer);
	}
	return 0;
}
