/* management: what OpenVPN says, whole, in pieces and with what clients put into it. */
#include "agents/openvpn/management.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

struct heard {
	struct management_event last;
	char text[128];
	size_t n;
};

static void on_event(void *context, const struct management_event *event)
{
	struct heard *heard = context;

	heard->last = *event;
	snprintf(heard->text, sizeof(heard->text), "%s", event->text);
	heard->n++;
}

static struct heard hear(const char *text, size_t piece)
{
	static struct management management;
	struct heard heard = { .n = 0 };
	size_t len = strlen(text);

	management_init(&management);
	for (size_t at = 0; at < len; at += piece)
		management_take(&management, text + at, piece < len - at ? piece : len - at,
			on_event, &heard);
	return heard;
}

static const char connects[] =
	">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n"
	">CLIENT:CONNECT,7,1\r\n"
	">CLIENT:ENV,n_clients=0\r\n"
	">CLIENT:ENV,tls_serial_hex_0=0a:bc:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e\r\n"
	">CLIENT:ENV,common_name=01a2\r\n"
	">CLIENT:ENV,username=totp\r\n"
	">CLIENT:ENV,password=12,34=56\r\n"
	">CLIENT:ENV,untrusted_ip=198.51.100.2\r\n"
	">CLIENT:ENV,untrusted_port=4000\r\n"
	">CLIENT:ENV,END\r\n"
	"SUCCESS: client-auth command succeeded\r\n";

Test(management, a_client_asks_in_pieces_of_any_size)
{
	for (size_t piece = 1; piece <= sizeof(connects); piece++) {
		struct heard heard = hear(connects, piece);

		cr_assert(eq(sz, heard.n, 1), "pieces of %zu", piece);
		cr_assert(eq(int, heard.last.kind, MANAGEMENT_CONNECT));
		cr_assert(eq(u64, heard.last.client, 7));
		cr_assert(eq(u64, heard.last.key, 1));
		cr_assert(eq(str, heard.last.serial, "0abc0102030405060708090a0b0c0d0e"));
		cr_assert(eq(str, heard.last.common_name, "01a2"));
		cr_assert(eq(str, heard.last.username, "totp"));
		cr_assert(eq(str, heard.last.password, "12,34=56"));
		cr_assert(eq(str, heard.last.address, "198.51.100.2"));
		cr_assert(eq(str, heard.last.port, "4000"));
	}
}

Test(management, what_else_it_tells)
{
	static const struct {
		const char *text;
		enum management_kind kind;
		uint64_t client, bytes_in, bytes_out;
	} rows[] = {
		{ ">CLIENT:REAUTH,3,2\n>CLIENT:ENV,END\n", MANAGEMENT_REAUTH, 3, 0, 0 },
		{ ">CLIENT:ESTABLISHED,3\n>CLIENT:ENV,END\n", MANAGEMENT_ESTABLISHED, 3, 0, 0 },
		{ ">CLIENT:DISCONNECT,3\n>CLIENT:ENV,bytes_received=5\n"
		  ">CLIENT:ENV,bytes_sent=5000000000\n>CLIENT:ENV,END\n",
			MANAGEMENT_DISCONNECT, 3, 5, 5000000000 },
		{ ">BYTECOUNT_CLI:4,10,20\n", MANAGEMENT_BYTES, 4, 10, 20 },
		{ ">STATE:1700000000,CONNECTED,SUCCESS,,,,,,\n", MANAGEMENT_UP, 0, 0, 0 },
		{ ">FATAL:no tap\n", MANAGEMENT_FATAL, 0, 0, 0 },
		{ "ERROR: client-auth command failed\n", MANAGEMENT_ERROR, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct heard heard = hear(rows[i].text, 1000);

		cr_assert(eq(sz, heard.n, 1), "row %zu", i);
		cr_assert(eq(int, heard.last.kind, rows[i].kind), "row %zu", i);
		cr_assert(eq(u64, heard.last.client, rows[i].client), "row %zu", i);
		cr_assert(eq(u64, heard.last.bytes_in, rows[i].bytes_in), "row %zu", i);
		cr_assert(eq(u64, heard.last.bytes_out, rows[i].bytes_out), "row %zu", i);
	}
	cr_assert(eq(str, hear(">FATAL:no tap\n", 3).text, "no tap"));
}

Test(management, what_is_nothing)
{
	static const char *const texts[] = {
		">CLIENT:ENV,END\n",
		">CLIENT:CONNECT,x,1\n>CLIENT:ENV,END\n",
		">CLIENT:CONNECT,1\n>CLIENT:ENV,END\n",
		">CLIENT:CONNECT,-1,1\n>CLIENT:ENV,END\n",
		">CLIENT:ADDRESS,1,10.0.0.1,1\n",
		">CLIENT:CONNECT,1,1\n>CLIENT:ENV,username=x\n",
		">BYTECOUNT_CLI:4,10\n",
		">STATE:1700000000,WAIT,,,,,,,\n",
		"",
		"\n\r\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_assert(eq(sz, hear(texts[i], 1000).n, 0), "%s", texts[i]);
}

/* Serial numbers that begin with zeros are told without them. */
Test(management, serial_numbers_have_32_digits)
{
	struct heard heard = hear(
		">CLIENT:CONNECT,1,1\n>CLIENT:ENV,tls_serial_hex_0=0a:Bc\n>CLIENT:ENV,END\n", 9);

	cr_assert(eq(str, heard.last.serial, "00000000000000000000000000000abc"));
	heard = hear(
		">CLIENT:CONNECT,1,1\n>CLIENT:ENV,tls_serial_hex_0=0a:zz\n>CLIENT:ENV,END\n", 9);
	cr_assert(eq(str, heard.last.serial, ""));
}

Test(management, texts_that_are_too_long_are_empty_and_such_lines_are_passed_over)
{
	static char text[3 * MANAGEMENT_LINE_MAX];
	struct heard heard;
	char *at = text + sprintf(text, ">CLIENT:CONNECT,1,1\n>CLIENT:ENV,username=");

	memset(at, 'u', MANAGEMENT_TEXT_SIZE);
	at += MANAGEMENT_TEXT_SIZE;
	at += sprintf(at, "\n>CLIENT:ENV,password=");
	memset(at, 'p', MANAGEMENT_LINE_MAX);
	at += MANAGEMENT_LINE_MAX;
	sprintf(at, "\n>CLIENT:ENV,untrusted_ip6=2001:db8::1\n>CLIENT:ENV,END\n");
	heard = hear(text, 1000);
	cr_assert(eq(sz, heard.n, 1));
	cr_assert(eq(str, heard.last.username, ""));
	cr_assert(eq(str, heard.last.password, ""));
	cr_assert(eq(str, heard.last.address, "2001:db8::1"));
	heard = hear(">CLIENT:CONNECT,1,1\n>CLIENT:ENV,username=\xff\xfe\n>CLIENT:ENV,END\n", 5);
	cr_assert(eq(str, heard.last.username, ""), "it is no text");
}
