// SPDX-License-Identifier: GPL-2.0-only
/* PROCESS_EXEC: every field against the truth. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "common.h"

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U
#endif

/* struct statx of kernels that have the unique id, up to that field. */
struct statx_mount {
	uint32_t mask;
	char before[140];
	uint64_t mnt_id;
	char after[104];
};

_Static_assert(offsetof(struct statx_mount, mnt_id) == 0x90, "struct statx");

FIXTURE(monitor)
{
	int fd;
	char *quick;
	char directory[32];
	struct km_log log;
};

FIXTURE_SETUP(monitor)
{
	self->fd = km_open(0);
	self->quick = km_helper("quick");
	strcpy(self->directory, "/tmp/exec_test.XXXXXX");
	check(mkdtemp(self->directory), "mkdtemp: %s", km_error(errno));
	km_add(self->fd, KMONITOR_TARGET_TREE, 0, KM_LIFE, 42);
}

FIXTURE_TEARDOWN(monitor)
{
	rmdir(self->directory);
	close(self->fd);
}

/* Runs a program, by path or by descriptor, and gives its EXEC record. */
static const struct kmonitor_event *run(int fd, struct km_log *log,
					const char *path, int program,
					char *const *argv)
{
	pid_t child = km_fork();

	if (!child) {
		if (path)
			execv(path, argv);
		else
			fexecve(program, argv, environ);
		_exit(127);
	}
	check(km_join(child) != 127 << 8, "can't run %s", path ?: "it");
	km_read_until(fd, log, KMONITOR_PROCESS_EXIT, child);
	check(km_count(log, KMONITOR_PROCESS_EXEC, child) == 1,
	      "expected one EXEC of %d", child);
	return km_find(log, KMONITOR_PROCESS_EXEC, child);
}

static void expect_file(struct __test_metadata *_metadata,
			const struct kmonitor_event *event,
			const struct stat *file)
{
	EXPECT_EQ(major(file->st_dev), event->exec.dev_major);
	EXPECT_EQ(minor(file->st_dev), event->exec.dev_minor);
	EXPECT_EQ(file->st_ino, event->exec.ino);
}

/* Copies the tiny program to where the test wants it. */
static void copy_program(const char *from, int to)
{
	int source = must(open(from, O_RDONLY | O_CLOEXEC));
	struct stat info;

	must(fstat(source, &info));
	check(must(sendfile(to, source, NULL, info.st_size)) == info.st_size,
	      "short copy of %s", from);
	must(fchmod(to, 0755));
	close(source);
}

TEST_F(monitor, exec_names_the_program)
{
	char *argv[] = { "another name", "one", "two", NULL };
	const struct kmonitor_event *event, *birth;
	struct stat file;

	event = run(self->fd, &self->log, self->quick, -1, argv);
	birth = km_find_fork(&self->log, event->pid);
	ASSERT_NE(NULL, birth);
	must(stat(self->quick, &file));
	expect_file(_metadata, event, &file);
	EXPECT_EQ(event->pid, event->tgid);
	EXPECT_EQ(getpid(), event->ppid);
	EXPECT_EQ(0, event->uid);
	EXPECT_EQ(birth->fork.start_ns, event->start_ns);
	EXPECT_STREQ("quick", event->comm);
	EXPECT_EQ(event->pid, event->exec.old_pid);
	EXPECT_EQ(0, event->exec.flags);
	EXPECT_EQ(3, event->exec.nr_args);
	EXPECT_EQ(0, event->exec.reserved);
	EXPECT_EQ(birth->fork.pidfd_ino, event->exec.pidfd_ino);
	EXPECT_EQ(2 << 8, event[2].exit.status);
}

TEST_F(monitor, exec_follows_its_fork)
{
	char *argv[] = { "quick", NULL };
	const struct kmonitor_event *event =
		run(self->fd, &self->log, self->quick, -1, argv);

	EXPECT_EQ(KMONITOR_PROCESS_FORK, event[-1].type);
	EXPECT_EQ(KMONITOR_THREAD_EXIT, event[1].type);
	EXPECT_EQ(KMONITOR_PROCESS_EXIT, event[2].type);
	EXPECT_STREQ("quick", event[2].comm);
}

TEST_F(monitor, the_mount_id_is_the_unique_one)
{
	char *argv[] = { "quick", NULL };
	struct statx_mount file = {};
	const struct kmonitor_event *event;

	must(syscall(SYS_statx, AT_FDCWD, self->quick, 0, STATX_MNT_ID_UNIQUE,
		     &file));
	ASSERT_NE(0, file.mask & STATX_MNT_ID_UNIQUE);
	event = run(self->fd, &self->log, self->quick, -1, argv);
	EXPECT_EQ(file.mnt_id, event->exec.mnt_id);
}

TEST_F(monitor, exec_of_a_script_names_the_interpreter)
{
	const struct kmonitor_event *event;
	char path[64];
	char *argv[] = { path, NULL };
	struct stat file;
	int script;

	snprintf(path, sizeof(path), "%s/a-script", self->directory);
	script = must(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
	dprintf(script, "#!%s option\n", self->quick);
	close(script);
	event = run(self->fd, &self->log, path, -1, argv);
	must(unlink(path));
	must(stat(self->quick, &file));
	expect_file(_metadata, event, &file);
	EXPECT_EQ(KMONITOR_EXEC_SCRIPT, event->exec.flags);
	/* The interpreter, its option, the script. */
	EXPECT_EQ(3, event->exec.nr_args);
	EXPECT_STREQ("a-script", event->comm);
}

TEST_F(monitor, exec_of_a_memfd_says_so)
{
	char *argv[] = { "nameless", NULL };
	const struct kmonitor_event *event;
	int memfd = must(memfd_create("program", MFD_CLOEXEC));
	struct stat file;

	copy_program(self->quick, memfd);
	must(fstat(memfd, &file));
	event = run(self->fd, &self->log, NULL, memfd, argv);
	expect_file(_metadata, event, &file);
	EXPECT_NE(0, event->exec.flags & KMONITOR_EXEC_MEMFD);
	EXPECT_EQ(0, event->exec.flags & KMONITOR_EXEC_SCRIPT);
	close(memfd);
}

TEST_F(monitor, exec_of_an_unlinked_file_says_so)
{
	char *argv[] = { "gone", NULL };
	const struct kmonitor_event *event;
	struct stat file;
	char path[64];
	int program;

	snprintf(path, sizeof(path), "%s/gone", self->directory);
	program = must(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
	copy_program(self->quick, program);
	close(program);
	program = must(open(path, O_RDONLY | O_CLOEXEC));
	must(unlink(path));
	must(fstat(program, &file));
	event = run(self->fd, &self->log, NULL, program, argv);
	expect_file(_metadata, event, &file);
	EXPECT_EQ(KMONITOR_EXEC_UNLINKED, event->exec.flags);
	close(program);
}

TEST_F(monitor, exec_that_gains_privileges_says_so)
{
	char *argv[] = { "suid", NULL };
	const struct kmonitor_event *event;
	char path[64];
	pid_t child;
	int program;

	snprintf(path, sizeof(path), "%s/suid", self->directory);
	program = must(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
	copy_program(self->quick, program);
	must(fchmod(program, 04755));
	close(program);
	must(chmod(self->directory, 0755));

	child = km_fork();
	if (!child) {
		must(setresuid(65534, 65534, 65534));
		execv(path, argv);
		_exit(127);
	}
	EXPECT_EQ(0, km_join(child));
	must(unlink(path));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	event = km_find(&self->log, KMONITOR_PROCESS_EXEC, child);
	ASSERT_NE(NULL, event);
	EXPECT_EQ(KMONITOR_EXEC_SETID, event->exec.flags);
	EXPECT_EQ(65534, event->uid);
}

TEST_F(monitor, a_failed_exec_leaves_nothing)
{
	char *argv[] = { "nothing", NULL };
	char path[64];
	pid_t child;
	int file;

	/* Executable by its mode, but in no known format. */
	snprintf(path, sizeof(path), "%s/nonsense", self->directory);
	file = must(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
	must(write(file, "nonsense", 8));
	close(file);
	child = km_fork();
	if (!child) {
		check(execv("/nonexistent", argv) == -1 && errno == ENOENT,
		      "expected ENOENT");
		check(execv("/tmp", argv) == -1 && errno == EACCES,
		      "expected EACCES");
		check(execv(path, argv) == -1 && errno == ENOEXEC,
		      "expected ENOEXEC");
		_exit(0);
	}
	EXPECT_EQ(0, km_join(child));
	must(unlink(path));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_PROCESS_EXEC, 0));
}

struct exec_call {
	char *path;
	int answer[2];
};

static void *exec_from_thread(void *arg)
{
	struct exec_call *call = arg;
	char *argv[] = { "quick", NULL };
	pid_t tid = gettid();

	must(write(call->answer[1], &tid, sizeof(tid)));
	execv(call->path, argv);
	_exit(127);
}

static void *wait_for_ever(void *arg)
{
	pause();
	return arg;
}

/*
 * The thread that calls takes the leader's id.  The leader and the third
 * thread end before, each with a record; the thread's own id never ends.
 */
TEST_F(monitor, exec_by_another_thread_retires_its_id)
{
	struct exec_call call = { .path = self->quick };
	const struct kmonitor_event *event, *leader;
	pthread_t thread;
	pid_t child, tid;

	km_gate(call.answer);
	child = km_fork();
	if (!child) {
		check(!pthread_create(&thread, NULL, wait_for_ever, NULL) &&
			      !pthread_create(&thread, NULL, exec_from_thread,
					      &call),
		      "no thread");
		pause();
		_exit(127);
	}
	must(read(call.answer[0], &tid, sizeof(tid)));
	EXPECT_EQ(0, km_join(child));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	event = km_find(&self->log, KMONITOR_PROCESS_EXEC, child);
	ASSERT_NE(NULL, event);
	EXPECT_EQ(child, event->pid);
	EXPECT_EQ(child, event->tgid);
	EXPECT_EQ(tid, event->exec.old_pid);
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_PROCESS_EXEC, 0));
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_PROCESS_EXIT, 0));
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_THREAD_EXIT, tid));
	/* The old leader before the exec, the new one at the end. */
	EXPECT_EQ(2, km_count(&self->log, KMONITOR_THREAD_EXIT, child));
	EXPECT_EQ(3, km_count(&self->log, KMONITOR_THREAD_EXIT, 0));
	leader = km_find(&self->log, KMONITOR_THREAD_EXIT, child);
	EXPECT_LT(leader, event);
	EXPECT_EQ(0, leader->flags & KMONITOR_EVENT_LAST_THREAD);
}

TEST_HARNESS_MAIN
