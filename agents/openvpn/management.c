/* management: see management.h. The protocol is management-notes.txt of OpenVPN. */
#include "agents/openvpn/management.h"

#include "lib/mem.h"
#include "lib/utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct sink {
	void (*happened)(void *context, const struct management_event *event);
	void *context;
};

/* ---- words ---- */

/* What follows the prefix; NULL if the text does not begin with it. */
static const char *after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* Reads a number and the comma behind it, if there is one; false if there is none. */
static bool take_number(const char **text, uint64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	*number = strtoull(*text, &end, 10);
	*text = end + (*end == ',');
	return end - *text < 20;
}

/* Nothing at all of what is too long or no text. */
static void copy(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len < size && utf8_valid((const uint8_t *)text, len))
		memcpy(out, text, len + 1);
}

/* "0f:a0:..." without its colons, and as long as serial numbers are that we give. */
static void copy_serial(char out[MANAGEMENT_SERIAL_SIZE], const char *text)
{
	char digits[MANAGEMENT_SERIAL_SIZE];
	size_t n = 0, zeros;

	for (; *text != '\0'; text++) {
		if (*text == ':')
			continue;
		if (!isxdigit((unsigned char)*text) || n == sizeof(digits) - 1)
			return;
		digits[n++] = (char)tolower((unsigned char)*text);
	}
	zeros = sizeof(digits) - 1 - n;
	memset(out, '0', zeros);
	memcpy(out + zeros, digits, n);
	out[sizeof(digits) - 1] = '\0';
}

/* ---- the lines of an event of a client ---- */

static void take_variable(struct management_event *event, const char *line)
{
	const char *value;

	if ((value = after(line, "tls_serial_hex_0=")) != NULL)
		copy_serial(event->serial, value);
	else if ((value = after(line, "common_name=")) != NULL)
		copy(event->common_name, sizeof(event->common_name), value);
	else if ((value = after(line, "username=")) != NULL)
		copy(event->username, sizeof(event->username), value);
	else if ((value = after(line, "password=")) != NULL)
		copy(event->password, sizeof(event->password), value);
	else if ((value = after(line, "session_id=")) != NULL)
		copy(event->session, sizeof(event->session), value);
	else if ((value = after(line, "session_state=")) != NULL)
		event->authenticated = strcmp(value, "Authenticated") == 0;
	else if ((value = after(line, "untrusted_ip=")) != NULL ||
		 (value = after(line, "untrusted_ip6=")) != NULL)
		copy(event->address, sizeof(event->address), value);
	else if ((value = after(line, "untrusted_port=")) != NULL)
		copy(event->port, sizeof(event->port), value);
	else if ((value = after(line, "bytes_received=")) != NULL)
		(void)take_number(&value, &event->bytes_in);
	else if ((value = after(line, "bytes_sent=")) != NULL)
		(void)take_number(&value, &event->bytes_out);
}

/* Begins an event that lines of ENV follow. */
static void begin(struct management *management, const char *line)
{
	static const struct {
		const char *word;
		enum management_kind kind;
		bool has_key;
	} words[] = {
		{ "CONNECT,", MANAGEMENT_CONNECT, true },
		{ "REAUTH,", MANAGEMENT_REAUTH, true },
		{ "ESTABLISHED,", MANAGEMENT_ESTABLISHED, false },
		{ "DISCONNECT,", MANAGEMENT_DISCONNECT, false },
	};
	struct management_event *event = &management->event;
	const char *rest;

	management->collecting = false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if ((rest = after(line, words[i].word)) == NULL)
			continue;
		*event = (struct management_event){ .kind = words[i].kind, .text = "" };
		management->collecting = take_number(&rest, &event->client) &&
					 (!words[i].has_key || take_number(&rest, &event->key));
	}
}

static void take_client(struct management *management, const char *line, const struct sink *sink)
{
	const char *variable = after(line, "ENV,");

	if (variable == NULL) {
		begin(management, line);
		return;
	}
	if (!management->collecting)
		return;
	if (strcmp(variable, "END") != 0) {
		take_variable(&management->event, variable);
		return;
	}
	management->collecting = false;
	sink->happened(sink->context, &management->event);
	explicit_bzero(&management->event, sizeof(management->event));
}

/* ---- the others ---- */

static void take_bytes(const char *line, const struct sink *sink)
{
	struct management_event event = { .kind = MANAGEMENT_BYTES, .text = "" };

	if (take_number(&line, &event.client) && take_number(&line, &event.bytes_in) &&
		take_number(&line, &event.bytes_out))
		sink->happened(sink->context, &event);
}

static void take_state(const char *line, const struct sink *sink)
{
	static const struct management_event up = { .kind = MANAGEMENT_UP, .text = "" };
	uint64_t time;

	if (take_number(&line, &time) && after(line, "CONNECTED,") != NULL)
		sink->happened(sink->context, &up);
}

static void tell(const struct sink *sink, enum management_kind kind, const char *text)
{
	sink->happened(sink->context, &(struct management_event){ .kind = kind, .text = text });
}

static void take_line(struct management *management, const struct sink *sink)
{
	const char *rest;

	if ((rest = after(management->line, ">CLIENT:")) != NULL)
		take_client(management, rest, sink);
	else if ((rest = after(management->line, ">BYTECOUNT_CLI:")) != NULL)
		take_bytes(rest, sink);
	else if ((rest = after(management->line, ">STATE:")) != NULL)
		take_state(rest, sink);
	else if ((rest = after(management->line, ">FATAL:")) != NULL)
		tell(sink, MANAGEMENT_FATAL, rest);
	else if ((rest = after(management->line, "ERROR: ")) != NULL)
		tell(sink, MANAGEMENT_ERROR, rest);
}

/* ---- bytes ---- */

void management_init(struct management *management)
{
	*management = (struct management){ 0 };
}

static void end_line(struct management *management, const struct sink *sink)
{
	if (management->len > 0 && management->line[management->len - 1] == '\r')
		management->len--;
	management->line[management->len] = '\0';
	if (!management->overlong)
		take_line(management, sink);
	explicit_bzero(management->line, management->len);
	management->len = 0;
	management->overlong = false;
}

void management_take(struct management *management, const char *bytes, size_t len,
	void (*happened)(void *context, const struct management_event *event), void *context)
{
	const struct sink sink = { happened, context };

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n')
			end_line(management, &sink);
		else if (management->len < sizeof(management->line) - 1)
			management->line[management->len++] = bytes[i];
		else
			management->overlong = true;
	}
}
