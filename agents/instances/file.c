/* file: see file.h. */
#include "agents/instances/file.h"

#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (4 * 1024 * 1024)

static err_t fail(struct fault *fault, const char *path)
{
	return fault_set(fault, ERR_UNAVAILABLE, path, "%s", strerror(errno));
}

err_t file_read(const char *path, char **text, size_t *len, struct fault *fault)
{
	FILE *in = fopen(path, "re");
	err_t err = OK;

	if (in == NULL)
		return fail(fault, path);
	*text = xmalloc(FILE_MAX + 1);
	*len = fread(*text, 1, FILE_MAX, in);
	(*text)[*len] = '\0';
	if (ferror(in))
		err = fail(fault, path);
	else if (fgetc(in) != EOF)
		err = fault_set(
			fault, ERR_INVALID_ARGUMENT, path, "expected at most %d bytes", FILE_MAX);
	else if (strlen(*text) != *len)
		err = fault_set(fault, ERR_INVALID_ARGUMENT, path, "expected text");
	fclose(in);
	return err;
}

static err_t write_file(
	const char *path, int flags, mode_t mode, const char *text, struct fault *fault)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode);
	size_t len = strlen(text);
	err_t err = OK;

	if (fd < 0)
		return fail(fault, path);
	for (ssize_t n; err == OK && len > 0; text += n, len -= (size_t)n)
		if ((n = write(fd, text, len)) < 0) {
			err = fail(fault, path);
			n = 0;
		}
	if (err == OK && fsync(fd) < 0)
		err = fail(fault, path);
	close(fd);
	return err;
}

err_t file_create(const char *path, const char *text, struct fault *fault)
{
	return write_file(path, O_EXCL, 0600, text, fault);
}

err_t file_replace(const char *path, const char *text, struct fault *fault)
{
	AUTO_FREE char *aside = xasprintf("%s.new", path);
	err_t err = write_file(aside, O_TRUNC, 0644, text, fault);

	if (err == OK && rename(aside, path) < 0)
		err = fail(fault, path);
	return err;
}
