// SPDX-License-Identifier: GPL-2.0-only
/* The filters of kmon-wait: the processes that operands, -t and -N name. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "common.h"
#include "wait.h"

static int compare_handles(const void *a, const void *b)
{
	const struct target *left = a, *right = b;

	return (left->handle > right->handle) - (left->handle < right->handle);
}

/* A process has one filter, however often it is added. */
static int add_target(struct wait *wait, struct kmonitor_filter *filter,
		      pid_t pid)
{
	struct target **targets, **node, *target;
	int ret;

	targets = reallocarray(wait->targets, wait->nr_cookies + 1,
			       sizeof(struct target *));
	if (!targets)
		return -ENOMEM;
	wait->targets = targets;
	target = calloc(1, sizeof(*target));
	if (!target)
		return -ENOMEM;
	filter->cookie = wait->nr_cookies;
	ret = kmon_filter_add(wait->fd, filter);
	if (ret) {
		free(target);
		return ret;
	}
	target->kind = filter->target;
	target->pid = pid;
	target->handle = filter->handle;
	target->listed.pid = pid;
	target->listed.tgid = pid;
	target->listed.uid = UINT32_MAX;
	node = tsearch(target, &wait->by_handle, compare_handles);
	if (!node) {
		free(target);
		return -ENOMEM;
	}
	if (*node == target)
		wait->nr_targets++;
	else
		free(target);
	targets[wait->nr_cookies++] = *node;
	return 0;
}

/* The process that a thread belongs to, or 0 if there is no such thread. */
static pid_t process_of(pid_t tid)
{
	char path[64], line[256];
	int pid = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (!pid && fgets(line, sizeof(line), file))
		sscanf(line, "Tgid: %d", &pid);
	fclose(file);
	return pid;
}

/* One that has ended is no error: its end need not be waited for. */
static void note_no_process(struct wait *wait, const char *option, pid_t pid)
{
	const pid_t process = process_of(pid);

	if (process && process != pid) {
		complain("%s%d: a thread of process %d, no process", option,
			 pid, process);
		wait->nr_errors++;
		return;
	}
	wait->nr_gone++;
	if (!wait->quiet)
		complain("%s%d: %s", option, pid,
			 process ? "has ended already (a zombie)" :
				   strerror(ESRCH));
}

static int add_pid(struct wait *wait, const struct request *request)
{
	struct kmonitor_filter filter = {
		.target = request->kind,
		.id = (uint64_t)request->pid,
	};
	const bool tree = request->kind == KMONITOR_TARGET_TREE;
	int ret;

	/* A tree has its EMPTY. */
	if (!tree)
		filter.events = KMONITOR_PROCESS_EXIT;
	ret = add_target(wait, &filter, request->pid);
	if (ret == -ESRCH) {
		note_no_process(wait, tree ? "-t " : "", request->pid);
		return 0;
	}
	if (ret) {
		complain("%s%d: %s%s", tree ? "-t " : "", request->pid,
			 kmon_filter_strerror(&filter, ret), advice(ret));
		wait->nr_errors++;
	}
	return ret == -EPERM ? 0 : ret;
}

/* Reads the beginning of a file of a process, as a string. */
static bool read_text(pid_t pid, const char *file, char *text, size_t size)
{
	char path[64];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	len = read(fd, text, size - 1);
	close(fd);
	if (len <= 0)
		return false;
	text[len] = '\0';
	return true;
}

static bool has_name(pid_t pid, const char *name)
{
	char text[4096];
	const char *slash;

	if (read_text(pid, "comm", text, sizeof(text))) {
		text[strlen(text) - 1] = '\0';
		if (!strcmp(text, name))
			return true;
	}
	if (!read_text(pid, "cmdline", text, sizeof(text)))
		return false;
	slash = strrchr(text, '/');
	return !strcmp(slash ? slash + 1 : text, name);
}

/*
 * The pidfd is opened before the name is read, and the filter added by it: that
 * this succeeds says that the pid has not changed hands in between.
 */
static int add_if_named(struct wait *wait, pid_t pid, const char *name)
{
	struct kmonitor_filter filter = {
		.target = KMONITOR_TARGET_PROCESS,
		.flags = KMONITOR_FILTER_PIDFD,
		.events = KMONITOR_PROCESS_EXIT,
	};
	int pidfd = pidfd_open(pid, 0);
	int ret;

	if (pidfd < 0)
		return errno == ESRCH || errno == EINVAL ? -ESRCH : -errno;
	filter.id = (uint64_t)pidfd;
	ret = has_name(pid, name) ? add_target(wait, &filter, pid) : -ESRCH;
	close(pidfd);
	if (ret && ret != -ESRCH && ret != -EPERM) {
		complain("-N %s: %d: %s", name, pid,
			 kmon_filter_strerror(&filter, ret));
		wait->nr_errors++;
	}
	return ret;
}

/* Those of others are left out, unless there are no others. */
static void complain_about_named(struct wait *wait, const char *name, size_t nr,
				 size_t nr_refused)
{
	if (nr_refused && !nr) {
		complain(
			"-N %s: not yours, or protected: needs CAP_SYS_PTRACE (try sudo)",
			name);
		wait->nr_errors++;
		return;
	}
	if (!nr)
		wait->nr_gone++;
	if (wait->quiet)
		return;
	if (!nr)
		complain("-N %s: %s", name, strerror(ESRCH));
	else if (nr_refused)
		complain("-N %s: not waiting for %zu that you may not watch",
			 name, nr_refused);
}

static int add_named(struct wait *wait, const char *name)
{
	size_t nr = 0, nr_refused = 0;
	struct dirent *entry;
	uint64_t pid;
	int ret = 0;
	DIR *dir;

	dir = opendir("/proc");
	if (!dir) {
		ret = -errno;
		complain("-N %s: /proc: %s", name, strerror(-ret));
		wait->nr_errors++;
		return ret;
	}
	while ((entry = readdir(dir))) {
		if (!parse_number(entry->d_name, INT_MAX, &pid) ||
		    (pid_t)pid == getpid())
			continue;
		ret = add_if_named(wait, (pid_t)pid, name);
		nr += !ret;
		nr_refused += ret == -EPERM;
		if (ret && ret != -ESRCH && ret != -EPERM)
			break;
		ret = 0;
	}
	closedir(dir);
	if (!ret)
		complain_about_named(wait, name, nr, nr_refused);
	return ret;
}

/* All that is wrong is reported before anything is waited for. */
int wait_add_targets(struct wait *wait)
{
	int ret = 0;

	for (size_t i = 0; i < wait->nr_requests && !ret; i++) {
		const struct request *request = &wait->requests[i];

		ret = request->name ? add_named(wait, request->name) :
				      add_pid(wait, request);
	}
	return wait->nr_errors ? EXIT_WAIT_FAILED : 0;
}
