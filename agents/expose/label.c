/* label: see label.h. */
#include "agents/expose/label.h"

#include <ctype.h>
#include <string.h>

bool label_read(const char *text, char label[LABEL_SIZE])
{
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	if (len == 0 || len >= LABEL_SIZE || text[0] == '-' || text[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		label[i] = (char)tolower((unsigned char)text[i]);
	label[len] = '\0';
	return strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}
