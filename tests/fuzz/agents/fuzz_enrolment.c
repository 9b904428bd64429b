/* reply: any bytes as the portal's answer to an enrolment. */
#include "agents/reply.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct enrolment enrolment;
	struct fault fault;

	if (reply_enrolment(&enrolment, (const char *)data, len, &fault) == OK &&
		(strlen(enrolment.device) != REPLY_ID_SIZE - 1 || strlen(enrolment.secret) < 16))
		abort();
	return 0;
}
