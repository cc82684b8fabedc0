// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From the id of a cgroup to its path, and back.
 *
 * A path that was found stays true: in cgroup v2 a directory can't be renamed,
 * and an id is not used again.  So it is remembered, also beyond the end of the
 * cgroup; and of an id that was not found, that it was not.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "cgroup.h"
#include "internal.h"
#include "kmon.h"

/* Answers that are remembered, the newest. */
#define REMEMBERED 4096
#define DEFAULT_MOUNT "/sys/fs/cgroup"
/* An answer; an empty path if there was none. */
struct answer {
	uint64_t id;
	TAILQ_ENTRY(answer) use;
	char path[];
};

struct kmon_cgroups {
	int mount;
	/* Its path, as a link of /proc shows it. */
	char mount_path[PATH_MAX];
	size_t mount_len;
	void *by_id;
	/* The one that was asked for last is the first. */
	TAILQ_HEAD(answers, answer) answers;
	size_t nr_answers;
};

static int compare(const void *a, const void *b)
{
	const struct answer *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* The path of an open file, or a negative errno value. */
static int path_of(int fd, char path[PATH_MAX])
{
	char link[sizeof("/proc/self/fd/") + 3 * sizeof(fd)];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, PATH_MAX);
	if (len < 0)
		return -errno;
	if (len == PATH_MAX)
		return -ENAMETOOLONG;
	path[len] = '\0';
	return 0;
}

/* The first mount of cgroup v2, but the usual one before others. */
static void find_mount(char path[PATH_MAX])
{
	FILE *file = setmntent("/proc/self/mounts", "re");
	char line[3 * PATH_MAX];
	struct mntent entry;
	bool found = false;

	strcpy(path, DEFAULT_MOUNT);
	while (file && getmntent_r(file, &entry, line, sizeof(line))) {
		bool usual = !strcmp(entry.mnt_dir, DEFAULT_MOUNT);

		if (strcmp(entry.mnt_type, "cgroup2") || (found && !usual) ||
		    strlen(entry.mnt_dir) >= PATH_MAX)
			continue;
		strcpy(path, entry.mnt_dir);
		found = true;
		if (usual)
			break;
	}
	if (file)
		endmntent(file);
}

static int open_mount(struct kmon_cgroups *cgroups, const char *mount)
{
	char found[PATH_MAX];
	uint64_t id;
	int ret;

	if (!mount) {
		find_mount(found);
		mount = found;
	}
	if (strlen(mount) >= PATH_MAX)
		return -ENAMETOOLONG;
	cgroups->mount = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroups->mount < 0)
		return -errno;
	ret = kmon_cgroup_id_at(cgroups->mount, ".", &id);
	if (ret)
		return ret;
	if (path_of(cgroups->mount, cgroups->mount_path))
		strcpy(cgroups->mount_path, mount);
	cgroups->mount_len = strlen(cgroups->mount_path);
	/* "/sys/fs/cgroup/", and the root of the file system. */
	while (cgroups->mount_len &&
	       cgroups->mount_path[cgroups->mount_len - 1] == '/')
		cgroups->mount_path[--cgroups->mount_len] = '\0';
	return 0;
}

int kmon_cgroups_new(const char *mount, struct kmon_cgroups **cgroups)
{
	struct kmon_cgroups *new = calloc(1, sizeof(*new));
	int ret;

	if (!new)
		return -ENOMEM;
	TAILQ_INIT(&new->answers);
	new->mount = -1;
	ret = open_mount(new, mount);
	if (ret) {
		kmon_cgroups_free(new);
		return ret;
	}
	*cgroups = new;
	return 0;
}

static void forget(struct kmon_cgroups *cgroups, struct answer *answer)
{
	TAILQ_REMOVE(&cgroups->answers, answer, use);
	tdelete(answer, &cgroups->by_id, compare);
	cgroups->nr_answers--;
	free(answer);
}

void kmon_cgroups_free(struct kmon_cgroups *cgroups)
{
	if (!cgroups)
		return;
	while (!TAILQ_EMPTY(&cgroups->answers))
		forget(cgroups, TAILQ_FIRST(&cgroups->answers));
	if (cgroups->mount >= 0)
		close(cgroups->mount);
	free(cgroups);
}

static struct answer *recall(struct kmon_cgroups *cgroups, uint64_t id)
{
	struct answer key = { .id = id };
	struct answer **found = tfind(&key, &cgroups->by_id, compare);

	if (!found)
		return NULL;
	TAILQ_REMOVE(&cgroups->answers, *found, use);
	TAILQ_INSERT_HEAD(&cgroups->answers, *found, use);
	return *found;
}

static struct answer *remember(struct kmon_cgroups *cgroups, uint64_t id,
			       const char *path)
{
	size_t len = strlen(path);
	struct answer *answer = malloc(sizeof(*answer) + len + 1);

	if (!answer)
		return NULL;
	answer->id = id;
	memcpy(answer->path, path, len + 1);
	if (!tsearch(answer, &cgroups->by_id, compare)) {
		free(answer);
		return NULL;
	}
	TAILQ_INSERT_HEAD(&cgroups->answers, answer, use);
	if (++cgroups->nr_answers > REMEMBERED)
		forget(cgroups, TAILQ_LAST(&cgroups->answers, answers));
	return answer;
}

/* Whether the path below the mount is that of the id. */
static bool is_path_of(const struct kmon_cgroups *cgroups, const char *path,
		       uint64_t id)
{
	uint64_t found;

	while (*path == '/')
		path++;
	return !kmon_cgroup_id_at(cgroups->mount, *path ? path : ".", &found) &&
	       found == id;
}

/*
 * Opens the cgroup by its id.  Gives 0, -ENOENT if there is none below the
 * mount, -EOPNOTSUPP if only a walk can find it, or another negative errno value.
 */
static int find_by_handle(const struct kmon_cgroups *cgroups, uint64_t id,
			  char path[PATH_MAX])
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} of = { .handle = { .handle_bytes = sizeof(id),
			     .handle_type = FILEID_KERNFS } };
	char *below;
	int fd, ret;

	memcpy(of.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(cgroups->mount, &of.handle,
			       O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		switch (errno) {
		case ESTALE:
		case ENOENT:
		case ENOTDIR:
			return -ENOENT;
		case EMFILE:
		case ENFILE:
		case ENOMEM:
			return -errno;
		}
		return -EOPNOTSUPP;
	}
	ret = path_of(fd, path);
	close(fd);
	if (ret)
		return -EOPNOTSUPP;
	/* If the cgroup is outside the mount or was removed, the link has another path. */
	below = path + cgroups->mount_len;
	if (strncmp(path, cgroups->mount_path, cgroups->mount_len) ||
	    (*below && *below != '/') || !is_path_of(cgroups, below, id))
		return -ENOENT;
	if (!*below)
		below = "/";
	memmove(path, below, strlen(below) + 1);
	return 0;
}

struct wanted {
	uint64_t id;
	char *path;
};

static int visit_for_id(int dir, const char *path, uint64_t ino, void *arg)
{
	struct wanted *wanted = arg;
	uint64_t id;

	if (ino != wanted->id && ino != (uint32_t)wanted->id)
		return 0;
	if (kmon_cgroup_id_at(dir, kmon_cgroup_name(path), &id) ||
	    id != wanted->id)
		return 0;
	strcpy(wanted->path, path);
	return 1;
}

static int find_by_walk(const struct kmon_cgroups *cgroups, uint64_t id,
			char path[PATH_MAX])
{
	struct wanted wanted = { .id = id, .path = path };
	int ret;

	if (is_path_of(cgroups, "/", id)) {
		strcpy(path, "/");
		return 0;
	}
	ret = kmon_cgroup_walk(cgroups->mount, visit_for_id, &wanted);
	return ret < 0 ? ret : ret ? 0 : -ENOENT;
}

int kmon_cgroup_path(struct kmon_cgroups *cgroups, uint64_t id,
		     const char **path)
{
	struct answer *answer = recall(cgroups, id);
	char found[PATH_MAX] = "";
	int ret;

	/* The id of no cgroup. */
	if (!id)
		return -ENOENT;
	if (!answer) {
		ret = find_by_handle(cgroups, id, found);
		if (ret == -EOPNOTSUPP)
			ret = find_by_walk(cgroups, id, found);
		if (ret && ret != -ENOENT)
			return ret;
		answer = remember(cgroups, id, ret ? "" : found);
		if (!answer)
			return -ENOMEM;
	}
	if (!*answer->path)
		return -ENOENT;
	*path = answer->path;
	return 0;
}

int kmon_cgroup_id(const struct kmon_cgroups *cgroups, const char *path,
		   uint64_t *id)
{
	const char *below = path;
	int ret, other;

	if (!*path)
		return -ENOENT;
	while (*below == '/')
		below++;
	ret = kmon_cgroup_id_at(cgroups->mount, *below ? below : ".", id);
	if (!ret || *path != '/')
		return ret;
	other = kmon_cgroup_id_at(AT_FDCWD, path, id);
	return other == -ENOENT ? ret : other;
}

/* A search by what a cgroup was made for. */
struct search {
	bool (*fits)(const char *path, const char *text);
	const char *text;
	uint64_t id;
	bool found;
};

static int visit_for_search(int dir, const char *path, uint64_t ino, void *arg)
{
	struct search *search = arg;
	uint64_t id;

	(void)ino;
	if (!search->fits(path, search->text) ||
	    kmon_cgroup_id_at(dir, kmon_cgroup_name(path), &id))
		return 0;
	if (search->found && search->id != id)
		return -ENOTUNIQ;
	search->found = true;
	search->id = id;
	return 0;
}

static int search_for(const struct kmon_cgroups *cgroups,
		      bool (*fits)(const char *path, const char *text),
		      const char *text, uint64_t *id)
{
	struct search search = { .fits = fits, .text = text };
	int ret = kmon_cgroup_walk(cgroups->mount, visit_for_search, &search);

	if (ret)
		return ret;
	if (!search.found)
		return -ENOENT;
	*id = search.id;
	return 0;
}

static bool is_unit(const char *path, const char *name)
{
	path = kmon_cgroup_name(path);
	return !strcmp(path + (*path == '_'), name);
}

static bool is_container(const char *path, const char *prefix)
{
	struct kmon_container container;

	return !kmon_cgroup_container(path, &container) &&
	       container.kind != KMON_CONTAINER_UNIT &&
	       !path[container.path_len] &&
	       !strncmp(container.id, prefix, strlen(prefix));
}

int kmon_cgroup_by_unit(const struct kmon_cgroups *cgroups, const char *name,
			uint64_t *id)
{
	if (!kmon_is_unit(name, strlen(name)) || strchr(name, '/'))
		return -EINVAL;
	return search_for(cgroups, is_unit, name, id);
}

int kmon_cgroup_by_container(const struct kmon_cgroups *cgroups,
			     const char *prefix, uint64_t *id)
{
	size_t len = strlen(prefix);

	if (!len || len > 64 || strspn(prefix, "0123456789abcdef") < len)
		return -EINVAL;
	return search_for(cgroups, is_container, prefix, id);
}
