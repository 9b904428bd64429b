/* we500_learn: see we500_learn.h. */
#include "gateway/compat/we500_learn.h"

#include "lib/log.h"

#include <string.h>

#define SHOWN	   512
#define PARTS	   3 /* of a value in the log there are 200 bytes at most */
#define PART	   ((SHOWN + PARTS - 1) / PARTS)
#define SECRET_MIN 20

static void mask(char *text)
{
	size_t len;

	for (; *text != '\0'; text += len + (text[len] != '\0')) {
		len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789_+/=-");
		if (len >= SECRET_MIN)
			memset(text, '*', len);
	}
}

void we500_learn_note(const Provision__PortalStatus *status, const char *body, size_t len)
{
	char text[SHOWN + 1], parts[PARTS][PART + 1] = { "" };

	len = len < SHOWN ? len : SHOWN;
	for (size_t i = 0; i < len; i++)
		text[i] = body[i] != '\0' ? body[i] : '.';
	text[len] = '\0';
	mask(text);
	for (size_t i = 0; i < len; i++)
		parts[i / PART][i % PART] = text[i];
	log_info("portal_learned", "tenant=%s device=%s body=%s more=%s rest=%s", status->tenant,
		status->device, log_value(parts[0]), log_value(parts[1]), log_value(parts[2]));
}
