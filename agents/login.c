/* login: see login.h. */
#include "agents/login.h"

#include "agents/state.h"

#include "lib/mem.h"

#include <sodium.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

err_t login_read(const char *what, const char *file, const char *name, char out[LOGIN_MAX],
	struct fault *fault)
{
	const char *given = getenv(name);
	AUTO_FREE char *text = NULL;
	size_t len;
	err_t err;

	out[0] = '\0';
	if (file != NULL && (err = state_read_file(file, LOGIN_MAX - 1, &text, fault)) != OK)
		return err;
	if (file != NULL)
		given = text;
	if (given == NULL)
		return OK;
	len = strcspn(given, "\r\n");
	for (size_t i = 0; i < len; i++)
		if (given[i] < ' ' || given[i] > '~')
			len = 0;
	if (len == 0 || len >= LOGIN_MAX)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "", "%s: expected one line with %s",
			file != NULL ? file : name, what);
	memcpy(out, given, len);
	out[len] = '\0';
	return OK;
}

/* The terminal without an echo; fills `before`. */
static FILE *open_terminal(struct termios *before)
{
	FILE *terminal = fopen("/dev/tty", "r+e");
	struct termios quiet;

	if (terminal == NULL || tcgetattr(fileno(terminal), before) != 0) {
		if (terminal != NULL)
			fclose(terminal);
		return NULL;
	}
	quiet = *before;
	quiet.c_lflag &= (tcflag_t)~ECHO;
	tcsetattr(fileno(terminal), TCSAFLUSH, &quiet);
	return terminal;
}

err_t login_prompt(const char *what, const char *name, char out[LOGIN_MAX], struct fault *fault)
{
	struct termios before;
	FILE *terminal = open_terminal(&before);
	bool given;

	if (terminal == NULL)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "",
			"no %s: give a file of it, or %s in the environment", what, name);
	fprintf(terminal, "%s: ", what);
	fflush(terminal);
	given = fgets(out, LOGIN_MAX, terminal) != NULL;
	tcsetattr(fileno(terminal), TCSAFLUSH, &before);
	fputc('\n', terminal);
	fclose(terminal);
	if (given && strchr(out, '\n') == NULL)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "",
			"the %s is over %d bytes: give it otherwise", what, LOGIN_MAX - 2);
	if (given)
		out[strcspn(out, "\r\n")] = '\0';
	return given && *out != '\0'
		       ? OK
		       : fault_set(fault, ERR_INVALID_ARGUMENT, "", "the %s is empty", what);
}

void login_basic(const char *credentials, char out[LOGIN_BASIC_MAX])
{
	size_t len = strlen(strcpy(out, "Basic "));

	sodium_bin2base64(out + len, LOGIN_BASIC_MAX - len, (const uint8_t *)credentials,
		strlen(credentials), sodium_base64_VARIANT_ORIGINAL);
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Decodes %XX; false for what is no printable text then. */
static bool decode(const char *text, size_t len, char out[LOGIN_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++, n++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '%') {
			if (i + 2 >= len || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0)
				return false;
			c = (unsigned char)(hex(text[i + 1]) << 4 | hex(text[i + 2]));
			i += 2;
		}
		if (c < ' ' || c == 0x7f || n == LOGIN_MAX - 1)
			return false;
		out[n] = (char)c;
	}
	out[n] = '\0';
	return true;
}

err_t login_take_from_url(
	char *argument, char *url, size_t size, char out[LOGIN_MAX], struct fault *fault)
{
	char *scheme_end = strstr(argument, "://");
	char *begin = scheme_end != NULL ? scheme_end + 3 : argument;
	char *at = memrchr(begin, '@', strcspn(begin, "/?"));
	bool fits;

	out[0] = '\0';
	fits = (size_t)snprintf(url, size, "%.*s%s", (int)(begin - argument), argument,
		       at != NULL ? at + 1 : begin) < size;
	if (at != NULL) {
		bool decoded = decode(begin, (size_t)(at - begin), out);

		memset(begin, '*', (size_t)(at - begin));
		if (!decoded || strchr(out, ':') == NULL)
			return fault_set(fault, ERR_INVALID_ARGUMENT, "url",
				"expected USER:PASSWORD before the URL's '@'");
	}
	return fits ? OK
		    : fault_set(fault, ERR_INVALID_ARGUMENT, "url", "the URL is over %zu bytes",
			      size - 1);
}
