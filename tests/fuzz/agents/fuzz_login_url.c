/* login: any URL of the command line; what stood before its '@' is overwritten there. */
#include "agents/login.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char argument[4096], url[256], secret[LOGIN_MAX], *begin;
	struct fault fault;
	size_t hidden;
	err_t err;

	if (len >= sizeof(argument))
		return 0;
	memcpy(argument, data, len);
	argument[len] = '\0';
	len = strlen(argument);
	err = login_take_from_url(argument, url, sizeof(url), secret, &fault);
	if (strlen(argument) != len)
		abort();
	if (err != OK)
		return 0;
	if (strlen(url) > len || (secret[0] != '\0' && strchr(secret, ':') == NULL))
		abort();
	begin = strstr(argument, "://");
	begin = begin != NULL ? begin + 3 : argument;
	hidden = strspn(begin, "*");
	if (secret[0] != '\0' && (hidden < strlen(secret) || strchr(begin, '@') == NULL))
		abort();
	return 0;
}
