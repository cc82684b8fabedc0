// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Going through the directories of cgroup v2, and their ids.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cgroup.h"

struct walk {
	cgroup_visitor visitor;
	void *arg;
	unsigned int depth;
	char path[PATH_MAX];
};

static int walk_dir(struct walk *walk, int fd, size_t len);

/* A directory that has gone, or may not be read, is no error of a walk. */
static int open_error(void)
{
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return -errno;
	}
	return 0;
}

static int walk_entry(struct walk *walk, int dir, const struct dirent *entry,
		      size_t len)
{
	size_t name_len = strlen(entry->d_name);
	int fd, ret;

	if (len + 1 + name_len >= sizeof(walk->path))
		return 0;
	walk->path[len] = '/';
	memcpy(walk->path + len + 1, entry->d_name, name_len + 1);
	ret = walk->visitor(dir, walk->path, entry->d_ino, walk->arg);
	if (ret || walk->depth >= CGROUP_DEPTH)
		return ret;
	fd = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return open_error();
	return walk_dir(walk, fd, len + 1 + name_len);
}

/* Closes fd. */
static int walk_dir(struct walk *walk, int fd, size_t len)
{
	const struct dirent *entry;
	DIR *dir = fdopendir(fd);
	int ret = 0;

	if (!dir) {
		ret = -errno;
		close(fd);
		return ret;
	}
	walk->depth++;
	while (!ret && (entry = readdir(dir))) {
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") &&
		    strcmp(entry->d_name, ".."))
			ret = walk_entry(walk, dirfd(dir), entry, len);
	}
	walk->depth--;
	closedir(dir);
	return ret;
}

int kmon_cgroup_walk(int mount, cgroup_visitor visitor, void *arg)
{
	struct walk walk = { .visitor = visitor, .arg = arg };
	/* Its own open file: that has the position in the directory. */
	int fd = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : walk_dir(&walk, fd, 0);
}

static int id_of(int fd, uint64_t *id)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(*id)];
	} of = { .handle.handle_bytes = sizeof(*id) };
	struct statfs fs;
	struct stat info;
	int mount_id;

	if (fstatfs(fd, &fs))
		return -errno;
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return -ENODEV;
	if (!name_to_handle_at(fd, "", &of.handle, &mount_id, AT_EMPTY_PATH) &&
	    of.handle.handle_type == FILEID_KERNFS) {
		memcpy(id, of.handle.f_handle, sizeof(*id));
		return 0;
	}
	/* Handles are forbidden, or not built in. */
	if (fstat(fd, &info))
		return -errno;
	*id = info.st_ino;
	return 0;
}

int kmon_cgroup_id_at(int dir, const char *name, uint64_t *id)
{
	int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = id_of(fd, id);
	close(fd);
	return ret;
}

const char *kmon_cgroup_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
