/* file: see file.h. */
#include "gateway/file.h"

#include "lib/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *file_read(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (file == NULL || getdelim(&text, &size, '\0', file) <= 0) {
		log_error("http_file", "path=%s error=%s", log_value(path),
			log_value(errno != 0 ? strerror(errno) : "it is empty"));
		free(text);
		text = NULL;
	}
	if (file != NULL)
		fclose(file);
	return text;
}
