// SPDX-License-Identifier: GPL-2.0-only
/* EXEC_FAILED: every error that execve(2) returns, and the file that it met. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "common.h"

FIXTURE(monitor)
{
	int fd;
	char directory[40];
	char path[64];
	struct km_log log;
};

FIXTURE_SETUP(monitor)
{
	strcpy(self->directory, "/tmp/exec_failed_test.XXXXXX");
	check(mkdtemp(self->directory), "mkdtemp: %s", km_error(errno));
	snprintf(self->path, sizeof(self->path), "%s/file", self->directory);
	self->fd = km_open(0);
	km_add(self->fd, KMONITOR_TARGET_TREE, 0,
	       KM_LIFE | KMONITOR_EXEC_FAILED, 42);
}

FIXTURE_TEARDOWN(monitor)
{
	unlink(self->path);
	rmdir(self->directory);
	close(self->fd);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	int file = must(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));

	check(write(file, text, strlen(text)) == (ssize_t)strlen(text),
	      "short write");
	must(fchmod(file, mode));
	close(file);
}

struct call {
	const char *path;
	char *const *argv;
	int dirfd;
	int flags;
};

/* Expects the call to fail with the error, here and in the record. */
static const struct kmonitor_event *
expect_failure(struct __test_metadata *_metadata, int fd, struct km_log *log,
	       const struct call *call, int error)
{
	const struct kmonitor_event *event;
	pid_t child = km_fork();

	if (!child) {
		syscall(SYS_execveat, call->dirfd, call->path, call->argv,
			environ, call->flags);
		_exit(errno);
	}
	EXPECT_EQ(error << 8, km_join(child));
	km_read_until(fd, log, KMONITOR_PROCESS_EXIT, child);
	check(km_count(log, KMONITOR_EXEC_FAILED, child) == 1,
	      "expected one EXEC_FAILED of %d, got %zu", child,
	      km_count(log, KMONITOR_EXEC_FAILED, child));
	EXPECT_EQ(0, km_count(log, KMONITOR_PROCESS_EXEC, child));
	event = km_find(log, KMONITOR_EXEC_FAILED, child);
	EXPECT_EQ(error, event->exec_failed.error);
	EXPECT_EQ(0, event->exec_failed.reserved);
	EXPECT_EQ(child, event->tgid);
	EXPECT_EQ(42, event->cookie);
	return event;
}

static void expect_file(struct __test_metadata *_metadata,
			const struct kmonitor_event *event, const char *path)
{
	struct stat file = {};

	if (path)
		must(stat(path, &file));
	EXPECT_EQ(file.st_ino, event->exec_failed.ino);
	EXPECT_EQ(major(file.st_dev), event->exec_failed.dev_major);
	EXPECT_EQ(minor(file.st_dev), event->exec_failed.dev_minor);
}

TEST_F(monitor, a_path_that_leads_nowhere_has_no_file)
{
	static char name[5000];
	char *argv[] = { "nothing", NULL };
	const struct {
		const char *path;
		int error;
	} cases[] = {
		{ "/nonexistent", ENOENT },	{ "/tmp", EACCES },
		{ "/dev/null/below", ENOTDIR }, { "", ENOENT },
		{ (char *)8, EFAULT },		{ name, ENAMETOOLONG },
	};
	const struct kmonitor_event *event;

	memset(name, 'x', sizeof(name) - 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct call call = { cases[i].path, argv, AT_FDCWD, 0 };

		event = expect_failure(_metadata, self->fd, &self->log, &call,
				       cases[i].error);
		expect_file(_metadata, event, NULL);
	}
}

TEST_F(monitor, a_file_in_no_known_format_is_named)
{
	char *argv[] = { "nonsense", NULL };
	const struct call call = { self->path, argv, AT_FDCWD, 0 };
	const struct kmonitor_event *event;

	write_file(self->path, "nonsense", 0755);
	event = expect_failure(_metadata, self->fd, &self->log, &call, ENOEXEC);
	expect_file(_metadata, event, self->path);
}

TEST_F(monitor, a_script_without_its_interpreter_is_named)
{
	char *argv[] = { "script", NULL };
	const struct call call = { self->path, argv, AT_FDCWD, 0 };
	const struct kmonitor_event *event;

	write_file(self->path, "#!/nonexistent\n", 0755);
	event = expect_failure(_metadata, self->fd, &self->log, &call, ENOENT);
	expect_file(_metadata, event, self->path);
}

TEST_F(monitor, arguments_that_cannot_be_read_fail_with_the_file_known)
{
	char *quick = km_helper("quick");
	char *argv[] = { (char *)8, NULL };
	const struct call call = { quick, argv, AT_FDCWD, 0 };
	const struct kmonitor_event *event;

	event = expect_failure(_metadata, self->fd, &self->log, &call, EFAULT);
	expect_file(_metadata, event, quick);
}

TEST_F(monitor, execveat_by_descriptor_fails_alike)
{
	char *argv[] = { "nonsense", NULL };
	const struct kmonitor_event *event;
	struct call call = { "", argv, -1, AT_EMPTY_PATH };

	event = expect_failure(_metadata, self->fd, &self->log, &call, EBADF);
	expect_file(_metadata, event, NULL);
	write_file(self->path, "nonsense", 0755);
	call.dirfd = must(open(self->path, O_PATH | O_CLOEXEC));
	event = expect_failure(_metadata, self->fd, &self->log, &call, ENOEXEC);
	expect_file(_metadata, event, self->path);
	close(call.dirfd);
}

static void *fail_twice(void *arg)
{
	char *argv[] = { "x", NULL };

	execv("/nonexistent/a", argv);
	execv("/nonexistent/b", argv);
	return arg;
}

TEST_F(monitor, the_failure_of_a_thread_has_its_thread_id)
{
	const struct kmonitor_event *event;
	pthread_t thread;
	pid_t child, tid;

	child = km_fork();
	if (!child) {
		check(!pthread_create(&thread, NULL, fail_twice, NULL) &&
			      !pthread_join(thread, NULL),
		      "no thread");
		_exit(0);
	}
	EXPECT_EQ(0, km_join(child));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	event = km_find(&self->log, KMONITOR_THREAD_CREATE, child);
	ASSERT_NE(NULL, event);
	tid = event->fork.pid;
	EXPECT_EQ(2, km_count(&self->log, KMONITOR_EXEC_FAILED, 0));
	ASSERT_EQ(2, km_count(&self->log, KMONITOR_EXEC_FAILED, tid));
	event = km_find(&self->log, KMONITOR_EXEC_FAILED, tid);
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(child, event[i].tgid);
	EXPECT_LT(event->time_ns, event[1].time_ns);
	/* They are in order with what the thread did before and after. */
	EXPECT_EQ(KMONITOR_THREAD_CREATE, event[-1].type);
	EXPECT_EQ(KMONITOR_THREAD_EXIT, event[2].type);
}

TEST_F(monitor, a_success_is_no_failure)
{
	char *argv[] = { "quick", NULL };
	char *quick = km_helper("quick");
	pid_t child = km_fork();

	if (!child) {
		execv(quick, argv);
		_exit(127);
	}
	EXPECT_EQ(0, km_join(child));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_EXEC_FAILED, 0));
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_PROCESS_EXEC, 0));
}

TEST_HARNESS_MAIN
