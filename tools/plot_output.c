// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file of a picture.
 *
 * It is written under another name beside its own, which it gets when it is
 * whole.  Other files, such as pipes, are written as they are.
 */

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plot.h"

/* The directory of a file. */
static int check_directory(const char *name)
{
	char *copy = strdup(name);
	int ret;

	if (!copy)
		return -ENOMEM;
	ret = faccessat(AT_FDCWD, dirname(copy), W_OK | X_OK, AT_EACCESS) ?
		      -errno :
		      0;
	free(copy);
	return ret;
}

/* The file that a symbolic link names is replaced, not the link. */
static int find_target(struct plot_output *output, struct stat *st)
{
	output->target = realpath(output->name, NULL);
	if (output->target)
		return stat(output->target, st) ? -errno : 0;
	if (errno != ENOENT)
		return -errno;
	st->st_mode = 0;
	output->target = strdup(output->name);
	return output->target ? 0 : -ENOMEM;
}

int plot_output_check(struct plot_output *output)
{
	struct stat st;
	int ret;

	if (!output->name) {
		output->file = stdout;
		return 0;
	}
	ret = find_target(output, &st);
	if (ret)
		return ret;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!st.st_mode || S_ISREG(st.st_mode))
		return check_directory(output->target);
	output->file = fopen(output->target, "we");
	return output->file ? 0 : -errno;
}

/* As the file has it that is replaced, or as open(2) would. */
static mode_t mode_of(const struct plot_output *output)
{
	const mode_t mask = umask(0);
	struct stat st;

	umask(mask);
	return stat(output->target, &st) ? 0666 & ~mask : st.st_mode & 0777;
}

int plot_output_open(struct plot_output *output)
{
	int fd;

	if (output->file)
		return 0;
	if (asprintf(&output->temporary, "%s.XXXXXX", output->target) < 0) {
		output->temporary = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(output->temporary, O_CLOEXEC);
	if (fd < 0) {
		const int error = errno;

		free(output->temporary);
		output->temporary = NULL;
		return -error;
	}
	output->file = fdopen(fd, "w");
	if (!output->file) {
		close(fd);
		return -ENOMEM;
	}
	return fchmod(fd, mode_of(output)) ? -errno : 0;
}

int plot_output_close(struct plot_output *output)
{
	FILE *file = output->file;
	int ret = 0;

	output->file = NULL;
	errno = 0;
	if (fflush(file) || ferror(file))
		ret = errno ? -errno : -EIO;
	if (fclose(file) && !ret)
		ret = -errno;
	if (!ret && output->temporary) {
		if (rename(output->temporary, output->target))
			return -errno;
		free(output->temporary);
		output->temporary = NULL;
	}
	return ret;
}

void plot_output_discard(struct plot_output *output)
{
	if (output->file && output->file != stdout)
		fclose(output->file);
	if (output->temporary)
		unlink(output->temporary);
	free(output->temporary);
	free(output->target);
}
