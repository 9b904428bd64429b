/* depot: see depot.h. What is being made has a name that begins with a dot, until it is whole and
 * on the disk. */
#include "agents/packages/depot.h"

#include "lib/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_FOLDER ".new"
#define NEW_LINK   ".link"

static void close_at(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define AUTO_FD __attribute__((cleanup(close_at))) int

static err_t fail(struct fault *fault, const char *what, const char *dir, const char *name)
{
	return fault_set(fault, ERR_INTERNAL, "", "can't %s %.120s/%.40s: %m", what, dir, name);
}

static int open_folder(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Removes a folder of plain files. */
static void remove_folder(int at, const char *name)
{
	int fd = open_folder(at, name);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL)
		unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	unlinkat(at, name, AT_REMOVEDIR);
}

static bool write_file(int folder, const struct depot_file *file)
{
	AUTO_FD fd = openat(folder, file->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t done = 0;

	while (fd >= 0 && done < file->len) {
		ssize_t n = write(fd, file->text + done, file->len - done);

		if (n < 0)
			return false;
		done += (size_t)n;
	}
	return fd >= 0 && fsync(fd) == 0;
}

err_t depot_add(const char *dir, uint32_t package, const struct depot_file files[], unsigned n,
	struct fault *fault)
{
	AUTO_FD depot = open_folder(AT_FDCWD, dir);
	AUTO_FREE char *name = xasprintf("%u", package);
	AUTO_FD folder = -1;

	if (depot < 0)
		return fail(fault, "open", dir, "");
	remove_folder(depot, NEW_FOLDER);
	if (mkdirat(depot, NEW_FOLDER, 0700) < 0 || (folder = open_folder(depot, NEW_FOLDER)) < 0)
		return fail(fault, "make", dir, NEW_FOLDER);
	for (unsigned i = 0; i < n; i++)
		if (!write_file(folder, &files[i]))
			return fail(fault, "write", dir, files[i].name);
	remove_folder(depot, name);
	if (fsync(folder) < 0 || renameat(depot, NEW_FOLDER, depot, name) < 0 || fsync(depot) < 0)
		return fail(fault, "make", dir, name);
	return OK;
}

err_t depot_use(const char *dir, uint32_t package, struct fault *fault)
{
	AUTO_FD depot = open_folder(AT_FDCWD, dir);
	AUTO_FREE char *name = xasprintf("%u", package);

	if (depot < 0)
		return fail(fault, "open", dir, "");
	if (package == 0) {
		if (unlinkat(depot, DEPOT_CURRENT, 0) < 0 && errno != ENOENT)
			return fail(fault, "remove", dir, DEPOT_CURRENT);
	} else {
		unlinkat(depot, NEW_LINK, 0);
		if (symlinkat(name, depot, NEW_LINK) < 0 ||
			renameat(depot, NEW_LINK, depot, DEPOT_CURRENT) < 0)
			return fail(fault, "make the link", dir, DEPOT_CURRENT);
	}
	return fsync(depot) == 0 ? OK : fail(fault, "write", dir, DEPOT_CURRENT);
}

void depot_keep(const char *dir, uint32_t package)
{
	AUTO_FREE char *kept = xasprintf("%u", package);
	DIR *depot = opendir(dir);
	struct dirent *entry;

	if (depot == NULL)
		return;
	while ((entry = readdir(depot)) != NULL)
		if (strcmp(entry->d_name, kept) != 0 && strcmp(entry->d_name, ".") != 0 &&
			strcmp(entry->d_name, "..") != 0)
			remove_folder(dirfd(depot), entry->d_name);
	closedir(depot);
}
