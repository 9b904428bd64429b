/* txt: see txt.h. The only code of auth that sees the resolver of the C library. */
#include "services/auth/outside/txt.h"

#include "lib/log.h"
#include "lib/mem.h"
#include "services/auth/outside/turn.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX 8192
#define WAIT_S	   1 /* for one server, */
#define TRIES	   2 /* so often */

static struct sockaddr_in resolver; /* set once by txt_open; no family: the system's */

bool txt_open(const char *text)
{
	char address[INET_ADDRSTRLEN] = "", *end;
	const char *colon = strrchr(text, ':');
	long port;

	if (*text == '\0')
		return true;
	if (colon == NULL || (size_t)(colon - text) >= sizeof(address))
		return false;
	memcpy(address, text, (size_t)(colon - text));
	port = strtol(colon + 1, &end, 10);
	resolver.sin_family = AF_INET;
	resolver.sin_port = htons((uint16_t)port);
	return end > colon + 1 && *end == '\0' && port > 0 && port <= UINT16_MAX &&
	       inet_pton(AF_INET, address, &resolver.sin_addr) == 1;
}

/* The texts of a record are one behind the other (RFC 7208 section 3.3). */
static bool says(const unsigned char *data, size_t len, const char *text)
{
	while (len > 0) {
		size_t part = data[0];

		if (part + 1 > len || strncmp(text, (const char *)data + 1, part) != 0 ||
			memchr(data + 1, '\0', part) != NULL)
			return false;
		text += part;
		data += part + 1;
		len -= part + 1;
	}
	return *text == '\0';
}

bool txt_in_answer(const unsigned char *answer, size_t len, const char *text)
{
	ns_msg message;
	ns_rr record;

	if (ns_initparse(answer, (int)len, &message) != 0)
		return false;
	for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
		if (ns_parserr(&message, ns_s_an, i, &record) != 0)
			return false;
		if (ns_rr_type(record) == ns_t_txt &&
			says(ns_rr_rdata(record), ns_rr_rdlen(record), text))
			return true;
	}
	return false;
}

/* Bytes of the answer; 0: there is no such record; below 0: none came. */
static int ask(const char *name, unsigned char answer[ANSWER_MAX])
{
	struct __res_state state = { 0 };
	int len;

	if (res_ninit(&state) != 0)
		return -1;
	state.retrans = WAIT_S;
	state.retry = TRIES;
	if (resolver.sin_family != 0) {
		state.nscount = 1;
		state.nsaddr_list[0] = resolver;
	}
	len = res_nquery(&state, name, ns_c_in, ns_t_txt, answer, ANSWER_MAX);
	if (len < 0 && (state.res_h_errno == HOST_NOT_FOUND || state.res_h_errno == NO_DATA))
		len = 0;
	res_nclose(&state);
	return len < ANSWER_MAX ? len : ANSWER_MAX;
}

err_t txt_find(struct call *call, const char *name, const char *text, bool *found)
{
	unsigned char *answer = arena_alloc(call->arena, ANSWER_MAX);
	err_t err = turn_take(call);
	int len;

	if (err != OK)
		return err;
	len = ask(name, answer);
	turn_give(call);
	*found = len > 0 && txt_in_answer(answer, (size_t)len, text);
	if (len >= 0)
		return OK;
	LOG_THROTTLED(LOG_LEVEL_WARN, "resolver_fails",
		"tenant=%s name=%s action=\"look at /etc/resolv.conf or LANYARD_RESOLVER\"",
		call->tenant, log_value(name));
	return call_refuse(call, ERR_UNAVAILABLE, NULL, "DNS does not tell of %s", name);
}
