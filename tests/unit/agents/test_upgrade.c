/* upgrade: the request as it goes out, and which replies are proper. */
#include "agents/upgrade.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <string.h>

#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define L2     "Sec-WebSocket-Protocol: lanyard.l2.v1\r\n"

static const struct upgrade_request asked = { .key = KEY, .protocol = "lanyard.l2.v1" };
#define SWITCH "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"

Test(upgrade, asks)
{
	char out[UPGRADE_REQUEST_MAX];
	struct url url;
	size_t len;

	cr_assert(url_parse(&url, "wss", "wss://[::1]:9443/l2?a=b", NULL) == OK);
	len = upgrade_write(out, &(struct upgrade_request){
					 &url, KEY, "Bearer TOKEN", NULL, false, "lanyard.l2.v1" });
	cr_assert_eq(len, strlen(out));
	cr_expect_eq(strstr(out, "GET /l2?a=b HTTP/1.1\r\nHost: [::1]:9443\r\n"), out);
	cr_expect_not_null(strstr(out, "\r\nAuthorization: Bearer TOKEN\r\n"));
	cr_expect_not_null(strstr(out, "\r\nSec-WebSocket-Key: " KEY "\r\n"));
	cr_expect_not_null(strstr(out, "\r\nSec-WebSocket-Version: 13\r\n"));
	cr_expect_not_null(strstr(out, "\r\nSec-WebSocket-Protocol: lanyard.l2.v1\r\n"));
	cr_expect_null(strstr(out, "X-vpn-ws"));
	cr_expect_str_eq(out + len - 4, "\r\n\r\n");
}

Test(upgrade, asks_as_vpn_ws_wants_it)
{
	static const uint8_t mac[6] = { 0x02, 0xab, 0, 1, 2, 0xff };
	char out[UPGRADE_REQUEST_MAX];
	struct url url;

	cr_assert(url_parse(&url, "ws", "ws://a/", NULL) == OK);
	upgrade_write(out, &(struct upgrade_request){ &url, KEY, NULL, mac, true, NULL });
	cr_expect_null(strstr(out, "Authorization"));
	cr_expect_not_null(strstr(out, "\r\nX-vpn-ws-MAC: 02:ab:00:01:02:ff\r\n"));
	cr_expect_not_null(strstr(out, "\r\nX-vpn-ws-bridge: on\r\n"));
}

struct row {
	const char *head;
	err_t err;
	unsigned status;
	const char *location;
};

static const struct row rows[] = {
	{ SWITCH ACCEPT "\r\n", OK, 101, "" },
	{ SWITCH ACCEPT "\r\nframes", OK, 101, "" },
	{ SWITCH ACCEPT L2 "\r\n", OK, 101, "" },
	{ "HTTP/1.1 101\r\nUPGRADE: WebSocket\r\nconnection:keep-alive , upgrade\r\n" ACCEPT "\r\n",
		OK, 101, "" },
	{ "HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\n\r\n", OK, 401, "" },
	{ "HTTP/1.1 307 Go\r\nLocation: /home \r\n\r\n", OK, 307, "/home" },
	{ "HTTP/1.1 503 \r\n\r\n", OK, 503, "" },

	{ "", ERR_OUT_OF_RANGE, 0, "" },
	{ "HTTP/1.1 101 Switching", ERR_OUT_OF_RANGE, 0, "" },
	{ SWITCH ACCEPT, ERR_OUT_OF_RANGE, 0, "" },

	{ SWITCH "\r\n", ERR_INVALID_ARGUMENT, 0, "" }, /* no Accept */
	{ SWITCH "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOp=\r\n\r\n", ERR_INVALID_ARGUMENT,
		0, "" },
	{ SWITCH "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=x\r\n\r\n",
		ERR_INVALID_ARGUMENT, 0, "" },
	{ SWITCH ACCEPT ACCEPT "\r\n", ERR_INVALID_ARGUMENT, 0, "" },
	{ SWITCH ACCEPT "Sec-WebSocket-Extensions: x\r\n\r\n", ERR_INVALID_ARGUMENT, 0, "" },
	{ SWITCH ACCEPT "Sec-WebSocket-Protocol: x\r\n\r\n", ERR_INVALID_ARGUMENT, 0, "" },
	{ SWITCH ACCEPT L2 L2 "\r\n", ERR_INVALID_ARGUMENT, 0, "" },
	{ "HTTP/1.1 101 X\r\nConnection: Upgrade\r\n" ACCEPT "\r\n", ERR_INVALID_ARGUMENT, 0, "" },
	{ "HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n" ACCEPT "\r\n",
		ERR_INVALID_ARGUMENT, 0, "" },
	{ "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgraded\r\n" ACCEPT "\r\n",
		ERR_INVALID_ARGUMENT, 0, "" },
	{ "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n" ACCEPT "\r\n", ERR_INVALID_ARGUMENT, 0, "" },

	{ "SSH-2.0-OpenSSH_9.2\r\n\r\n", ERR_INVALID_ARGUMENT, 0, "" },
	{ "HTTP/2 200\r\n\r\n", ERR_INVALID_ARGUMENT, 0, "" },
	{ "HTTP/1.1 1O1 X\r\n\r\n", ERR_INVALID_ARGUMENT, 0, "" },
	{ "HTTP/1.1 1010\r\n\r\n", ERR_INVALID_ARGUMENT, 0, "" },
	{ "HTTP/1.1 20\r\n\r\n", ERR_INVALID_ARGUMENT, 0, "" },
	{ "\r\n\r\n", ERR_INVALID_ARGUMENT, 0, "" },
	{ "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", ERR_INVALID_ARGUMENT, 0, "" },
	{ "HTTP/1.1 200 OK\r\n: x\r\n\r\n", ERR_INVALID_ARGUMENT, 0, "" },
	{ "HTTP/1.1 200 OK\r\nA : x\r\n\r\n", ERR_INVALID_ARGUMENT, 0, "" },
	{ "HTTP/1.1 200 OK\r\nA: x\r\n folded\r\n\r\n", ERR_INVALID_ARGUMENT, 0, "" },
	{ "HTTP/1.1 307 Go\r\nLocation: /a\r\nLocation: /b\r\n\r\n", ERR_INVALID_ARGUMENT, 0, "" },
};

Test(upgrade, reads)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].head);
		char *head =
			xmalloc(len); /* without a NUL, so that a sanitizer sees a step beyond */
		struct upgrade upgrade = { 0 };
		struct fault fault = { 0 };
		err_t err;

		memcpy(head, rows[i].head, len);
		err = upgrade_read(&upgrade, head, len, &asked, &fault);
		cr_expect_eq(err, rows[i].err, "%s", rows[i].head);
		cr_expect_eq(upgrade.status, rows[i].status, "%s", rows[i].head);
		cr_expect_eq(upgrade.protocol, err == OK && strstr(rows[i].head, L2) != NULL);
		cr_expect_str_eq(upgrade.location, rows[i].location);
		cr_expect_eq(
			err == ERR_INVALID_ARGUMENT, fault.detail[0] != '\0', "%s", rows[i].head);
		if (err == OK)
			cr_expect_eq(memcmp(head + upgrade.head_len - 4, "\r\n\r\n", 4), 0);
		free(head);
	}
}

Test(upgrade, ends_a_head_that_never_ends)
{
	static char head[UPGRADE_HEAD_MAX];
	struct upgrade upgrade;

	memset(head, 'x', sizeof(head));
	cr_expect(upgrade_read(&upgrade, head, sizeof(head) - 1, &asked, NULL) == ERR_OUT_OF_RANGE);
	cr_expect(upgrade_read(&upgrade, head, sizeof(head), &asked, NULL) == ERR_INVALID_ARGUMENT);
}
