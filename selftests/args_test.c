// SPDX-License-Identifier: GPL-2.0-only
/* EXEC_ARGS: the path and the arguments behind an EXEC. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common.h"

#define PART sizeof(((struct kmonitor_exec_args *)0)->data)
#define MAX_PARTS 64

FIXTURE(monitor)
{
	int fd;
	char *quick;
	struct km_log log;
};

static int open_with_args(uint32_t ring_records)
{
	struct kmonitor_attr attr = { .ring_records = ring_records,
				      .report = KMONITOR_REPORT_EXEC_ARGS };
	int fd = km_init(&attr, sizeof(attr),
			 KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);

	check(fd >= 0, "kmonitor_init: %s", km_error(fd));
	km_add(fd, KMONITOR_TARGET_TREE, 0, KM_LIFE, 42);
	return fd;
}

FIXTURE_SETUP(monitor)
{
	self->quick = km_helper("quick");
	self->fd = open_with_args(0);
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
}

static const struct kmonitor_event *run(int fd, struct km_log *log,
					const char *path, char *const *argv)
{
	pid_t child = km_fork();

	if (!child) {
		execv(path, argv);
		_exit(127);
	}
	check(km_join(child) != 127 << 8, "can't run %s", path);
	km_read_until(fd, log, KMONITOR_PROCESS_EXIT, child);
	check(km_count(log, KMONITOR_PROCESS_EXEC, child) == 1,
	      "expected one EXEC of %d", child);
	return km_find(log, KMONITOR_PROCESS_EXEC, child);
}

/* Expects the parts behind an EXEC; gives their text and its length. */
static size_t text_of(struct __test_metadata *_metadata,
		      const struct kmonitor_event *exec, char *text,
		      unsigned int flags)
{
	const struct kmonitor_exec_args *part = (const void *)&exec[1];
	unsigned int nr = part->nr_parts;
	size_t len = 0;

	EXPECT_EQ(flags, exec->flags);
	for (unsigned int i = 0; i < nr; i++) {
		EXPECT_EQ(KMONITOR_EXEC_ARGS, part[i].type);
		EXPECT_EQ(exec->seq + 1 + i, part[i].seq);
		EXPECT_EQ(exec->time_ns, part[i].time_ns);
		EXPECT_EQ(exec->cookie, part[i].cookie);
		EXPECT_EQ(exec->cpu, part[i].cpu);
		EXPECT_EQ(flags, part[i].flags);
		EXPECT_EQ(i, part[i].part);
		EXPECT_EQ(nr, part[i].nr_parts);
		EXPECT_EQ(0, part[i].reserved);
		check(part[i].len <= PART, "part of %u bytes", part[i].len);
		if (i + 1 < nr)
			EXPECT_EQ(PART, part[i].len);
		memcpy(text + len, part[i].data, part[i].len);
		len += part[i].len;
	}
	return len;
}

/* The expected parts: the path and the arguments, each with its NUL. */
static size_t join(char *text, const char *path, char *const *argv)
{
	size_t len = strlen(path) + 1;

	memcpy(text, path, len);
	for (; *argv; argv++) {
		memcpy(text + len, *argv, strlen(*argv) + 1);
		len += strlen(*argv) + 1;
	}
	return len;
}

TEST_F(monitor, the_path_and_the_arguments_follow_the_exec)
{
	char *argv[] = { "a name", "", "three", NULL };
	char text[MAX_PARTS * PART], expected[256];
	const struct kmonitor_event *event;
	size_t len = join(expected, self->quick, argv);

	event = run(self->fd, &self->log, self->quick, argv);
	EXPECT_EQ(3, event->exec.nr_args);
	ASSERT_EQ(len, text_of(_metadata, event, text, 0));
	EXPECT_EQ(0, memcmp(expected, text, len));
	EXPECT_EQ(KMONITOR_THREAD_EXIT, event[2].type);
}

/* Every length around the ends of parts and of pages. */
TEST_F(monitor, arguments_of_each_length_arrive_whole)
{
	static char text[MAX_PARTS * PART], expected[MAX_PARTS * PART];
	static char argument[MAX_PARTS * PART];
	char *argv[] = { "quick", argument, NULL };
	const struct kmonitor_event *event;
	size_t base, size, len;

	base = join(expected, self->quick, argv);
	for (size_t i = 0; i < 16; i++) {
		size = (i / 4 == 0 ? PART :
			i / 4 == 1 ? 2 * PART :
			i / 4 == 2 ? KM_PAGE :
				     MAX_PARTS * PART) -
		       i % 4 - base;
		for (size_t k = 0; k < size; k++)
			argument[k] = '0' + k % 71;
		argument[size] = '\0';
		len = join(expected, self->quick, argv);
		self->log.nr = 0;
		event = run(self->fd, &self->log, self->quick, argv);
		ASSERT_EQ(len, text_of(_metadata, event, text, 0));
		EXPECT_EQ(0, memcmp(expected, text, len));
	}
}

TEST_F(monitor, more_than_fits_is_cut_and_says_so)
{
	static char text[MAX_PARTS * PART], expected[4 * MAX_PARTS * PART];
	static char argument[MAX_PARTS * PART];
	char *argv[] = { "quick", argument, argument, NULL };
	const struct kmonitor_event *event;

	memset(argument, 'x', sizeof(argument) - 1);
	join(expected, self->quick, argv);
	event = run(self->fd, &self->log, self->quick, argv);
	ASSERT_EQ(sizeof(text),
		  text_of(_metadata, event, text, KMONITOR_EVENT_TRUNCATED));
	EXPECT_EQ(0, memcmp(expected, text, sizeof(text)));
}

TEST_F(monitor, a_small_ring_gives_at_most_its_half)
{
	static char text[MAX_PARTS * PART], argument[1000];
	char *argv[] = { "quick", argument, NULL };
	const struct kmonitor_event *event;
	int fd;

	memset(argument, 'x', sizeof(argument) - 1);
	for (unsigned int size = 2; size <= 64; size *= 2) {
		fd = open_with_args(size);
		km_drain(self->fd, &self->log);
		self->log.nr = 0;
		km_del(fd, 1);
		km_add(fd, KMONITOR_TARGET_TREE, 0, KMONITOR_PROCESS_EXEC, 42);
		run(self->fd, &self->log, self->quick, argv);
		self->log.nr = 0;
		km_drain(fd, &self->log);
		event = self->log.event;
		ASSERT_EQ(KMONITOR_PROCESS_EXEC, event->type);
		if (size == 2) {
			EXPECT_EQ(1, self->log.nr);
			EXPECT_EQ(KMONITOR_EVENT_TRUNCATED, event->flags);
		} else {
			EXPECT_EQ(size < 32 ? size / 2 : 1 + 1039 / PART + 1,
				  self->log.nr);
			text_of(_metadata, event, text,
				size < 32 ? KMONITOR_EVENT_TRUNCATED : 0);
		}
		self->log.nr = 0;
		close(fd);
	}
}

TEST_F(monitor, who_did_not_ask_gets_the_exec_alone)
{
	char *argv[] = { "quick", "argument", NULL };
	struct km_log log = {};
	int fd = km_open(0);

	km_add(fd, KMONITOR_TARGET_TREE, 0, KM_LIFE, 1);
	run(self->fd, &self->log, self->quick, argv);
	km_drain(fd, &log);
	EXPECT_EQ(1, km_count(&log, KMONITOR_PROCESS_EXEC, 0));
	EXPECT_EQ(0, km_count(&log, KMONITOR_EXEC_ARGS, 0));
	EXPECT_EQ(0, km_find(&log, KMONITOR_PROCESS_EXEC, 0)->flags);
	EXPECT_NE(0, km_count(&self->log, KMONITOR_EXEC_ARGS, 0));
	close(fd);
}

TEST_F(monitor, a_script_has_its_own_path_and_the_interpreters_arguments)
{
	char path[] = "/tmp/args_test.XXXXXX", text[MAX_PARTS * PART];
	char expected[512];
	char *argv[] = { path, "argument", NULL };
	char *seen[] = { self->quick, "option", path, "argument", NULL };
	const struct kmonitor_event *event;
	int file = must(mkostemp(path, O_CLOEXEC));
	size_t len = join(expected, path, seen);

	dprintf(file, "#!%s option\n", self->quick);
	must(fchmod(file, 0755));
	close(file);
	event = run(self->fd, &self->log, path, argv);
	must(unlink(path));
	ASSERT_EQ(len, text_of(_metadata, event, text, 0));
	EXPECT_EQ(0, memcmp(expected, text, len));
}

/* A group is there whole or, counted with all its parts, not at all. */
TEST_F(monitor, a_group_that_does_not_fit_is_lost_whole)
{
	static char argument[500];
	char *argv[] = { "quick", argument, NULL };
	unsigned int recorded, expected, lost = 0, groups = 0;
	struct kmonitor_stats stats;
	int fd = open_with_args(32);

	memset(argument, 'x', sizeof(argument) - 1);
	for (int i = 0; i < 20; i++) {
		self->log.nr = 0;
		run(self->fd, &self->log, self->quick, argv);
	}
	stats = km_stats(fd);
	/* FORK, EXEC and its parts, two exits. */
	expected = 20 * (4 + km_count(&self->log, KMONITOR_EXEC_ARGS, 0));
	EXPECT_EQ(expected, stats.matched);
	EXPECT_LT(0, stats.pending);
	self->log.nr = 0;
	km_drain(fd, &self->log);
	for (size_t i = 0; i < self->log.nr; i++) {
		const struct kmonitor_event *event = &self->log.event[i];
		const struct kmonitor_exec_args *part = (const void *)&event[1];

		if (event->type == KMONITOR_LOST)
			lost += event->lost.count;
		if (event->type != KMONITOR_PROCESS_EXEC)
			continue;
		groups++;
		ASSERT_LT(i + part->nr_parts, self->log.nr);
		for (unsigned int k = 0; k < part->nr_parts; k++)
			EXPECT_EQ(k, part[k].part);
	}
	recorded = self->log.nr - km_count(&self->log, KMONITOR_LOST, 0);
	EXPECT_LT(0, groups);
	EXPECT_EQ(stats.matched, recorded + lost);
	close(fd);
}

/* A creator that may not see the program gets neither its file nor its arguments. */
TEST_F(monitor, a_hidden_program_has_no_arguments)
{
	char path[] = "/tmp/args_test.XXXXXX";
	char *argv[] = { "quick", "secret", NULL };
	int from = must(open(self->quick, O_RDONLY | O_CLOEXEC));
	int to = must(mkostemp(path, O_CLOEXEC));
	struct stat info;
	char buffer[4096];
	ssize_t len;
	pid_t creator;

	while ((len = must(read(from, buffer, sizeof(buffer)))))
		must(write(to, buffer, len));
	must(fstat(to, &info));
	must(fchmod(to, 04755));
	close(to);
	close(from);
	creator = km_fork();
	if (!creator) {
		struct km_log log = {};
		pid_t child;
		int fd;

		must(setresgid(5, 5, 5));
		must(setresuid(5, 5, 5));
		must(prctl(PR_SET_DUMPABLE, 1));
		fd = open_with_args(0);
		child = km_fork();
		if (!child) {
			execv(path, argv);
			_exit(127);
		}
		check(!(km_join(child) & 0x7f), "killed");
		km_read_until(fd, &log, KMONITOR_PROCESS_EXIT, child);
		check(!km_count(&log, KMONITOR_PROCESS_EXEC, 0) &&
			      !km_count(&log, KMONITOR_EXEC_ARGS, 0),
		      "expected no EXEC");
		_exit(0);
	}
	EXPECT_EQ(0, km_join(creator));
	must(unlink(path));
}

/* The TASK of a process, which has one in the snapshot. */
static const struct kmonitor_event *list(int fd, struct km_log *log, pid_t pid)
{
	km_list(fd, 0, 1, log);
	check(km_count(log, KMONITOR_TASK, pid) == 1, "expected one TASK of %d",
	      pid);
	return km_find(log, KMONITOR_TASK, pid);
}

/* Names the end of one page and the next, which is absent, as the arguments. */
static void withdraw_arguments(const char *text, size_t present)
{
	char *page = must(mmap(NULL, 2 * KM_PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	char *start = page + KM_PAGE - present;

	memcpy(start, text, present);
	must(prctl(PR_SET_MM, PR_SET_MM_ARG_START, start, 0, 0));
	must(prctl(PR_SET_MM, PR_SET_MM_ARG_END, start + 2 * present, 0, 0));
}

/* A fault would find a page of zeros, but may as well find nobody to serve it. */
TEST_F(monitor, a_snapshot_waits_for_no_page)
{
	char text[MAX_PARTS * PART], expected[256];
	const char shown[] = { 's', 'h', 'o', 'w', 'n' };
	char *none[] = { NULL };
	char *self_path = realpath("/proc/self/exe", NULL);
	size_t len = join(expected, self_path, none);
	int ready[2], gate[2];
	pid_t child;

	km_gate(ready);
	km_gate(gate);
	child = km_fork();
	if (!child) {
		withdraw_arguments(shown, sizeof(shown));
		km_gate_open(ready);
		km_gate_wait(gate);
		_exit(0);
	}
	km_gate_wait(ready);
	memcpy(expected + len, shown, sizeof(shown));
	len += sizeof(shown);
	ASSERT_EQ(len, text_of(_metadata, list(self->fd, &self->log, child),
			       text, KMONITOR_EVENT_TRUNCATED));
	EXPECT_EQ(0, memcmp(expected, text, len));
	km_gate_open(gate);
	km_join(child);
	free(self_path);
}

static bool has_parts(const struct km_log *log,
		      const struct kmonitor_event *event)
{
	return event + 1 < log->event + log->nr &&
	       event[1].type == KMONITOR_EXEC_ARGS;
}

/* A process that runs a program until its input ends. */
static pid_t run_waiting(const char *path, char *const *argv, int gate[2])
{
	int ready[2];
	pid_t child;

	km_gate(ready);
	km_gate(gate);
	child = km_fork();
	if (!child) {
		must(dup2(gate[0], STDIN_FILENO));
		must(dup2(ready[1], STDOUT_FILENO));
		execv(path, argv);
		_exit(127);
	}
	km_gate_wait(ready);
	close(ready[0]);
	close(ready[1]);
	return child;
}

TEST_F(monitor, a_snapshot_has_path_and_arguments)
{
	char *wait = km_helper("wait");
	char *argv[] = { "a name", "", "three", NULL };
	char text[MAX_PARTS * PART], expected[256];
	size_t len = join(expected, wait, argv);
	const struct kmonitor_event *task;
	int gate[2];
	pid_t child = run_waiting(wait, argv, gate);

	task = list(self->fd, &self->log, child);
	ASSERT_EQ(true, has_parts(&self->log, task));
	ASSERT_EQ(len, text_of(_metadata, task, text, 0));
	EXPECT_EQ(0, memcmp(expected, text, len));
	km_gate_open(gate);
	km_join(child);
	free(wait);
}

TEST_F(monitor, a_task_in_a_small_ring_says_that_its_arguments_are_missing)
{
	char *wait = km_helper("wait");
	char *argv[] = { "wait", NULL };
	const struct kmonitor_event *task;
	int gate[2], fd = open_with_args(2);
	pid_t child = run_waiting(wait, argv, gate);

	km_del(fd, 1);
	km_add(fd, KMONITOR_TARGET_PROCESS, child, 0, 1);
	task = list(fd, &self->log, child);
	EXPECT_EQ(KMONITOR_EVENT_TRUNCATED, task->flags);
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_EXEC_ARGS, 0));
	km_gate_open(gate);
	km_join(child);
	close(fd);
	free(wait);
}

static void *outlive_leader(void *gate)
{
	km_gate_wait(gate);
	_exit(0);
}

TEST_F(monitor, arguments_outlive_the_leader)
{
	char text[MAX_PARTS * PART], expected[MAX_PARTS * PART] = "";
	const struct kmonitor_event *task;
	int gate[2], file;
	pthread_t thread;
	pid_t child;
	size_t len;

	km_gate(gate);
	len = must(readlink("/proc/self/exe", expected, sizeof(expected) / 2));
	file = must(open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC));
	len += 1 + must(read(file, expected + len + 1, sizeof(expected) / 2));
	close(file);
	child = km_fork();
	if (!child) {
		pthread_create(&thread, NULL, outlive_leader, gate);
		pthread_exit(NULL);
	}
	while (km_state(child) != 'Z')
		usleep(1000);
	task = list(self->fd, &self->log, child);
	ASSERT_EQ(true, has_parts(&self->log, task));
	ASSERT_EQ(len, text_of(_metadata, task, text, 0));
	EXPECT_EQ(0, memcmp(expected, text, len));
	km_gate_open(gate);
	km_join(child);
}

TEST_F(monitor, kernel_threads_have_no_arguments)
{
	const struct kmonitor_event *task;

	km_add(self->fd, KMONITOR_TARGET_ALL, 0, 0, 1);
	task = list(self->fd, &self->log, 2);
	EXPECT_EQ(0, task->flags);
	EXPECT_EQ(false, has_parts(&self->log, task));
	task = km_find(&self->log, KMONITOR_TASK, 1);
	ASSERT_NE(NULL, task);
	EXPECT_EQ(true, has_parts(&self->log, task));
}

TEST_F(monitor, a_hidden_task_has_no_arguments)
{
	char *wait = km_helper("wait");
	char *argv[] = { "wait", "secret", NULL };
	const struct kmonitor_event *task;
	int gate[2];
	pid_t child = run_waiting(wait, argv, gate);

	must(setresgid(5, 5, 5));
	must(setresuid(5, 5, 5));
	must(prctl(PR_SET_DUMPABLE, 1));
	task = list(self->fd, &self->log, child);
	EXPECT_EQ(KMONITOR_EVENT_REDACTED, task->flags);
	EXPECT_EQ(false, has_parts(&self->log, task));
	task = km_find(&self->log, KMONITOR_TASK, getpid());
	ASSERT_NE(NULL, task);
	EXPECT_EQ(true, has_parts(&self->log, task));
	km_gate_open(gate);
	km_join(child);
	free(wait);
}

/* The kernel gives a program that was run without any argument an empty one. */
TEST_F(monitor, no_argument_is_one_empty_argument)
{
	char text[MAX_PARTS * PART], expected[256];
	char *argv[] = { NULL }, *seen[] = { "", NULL };
	const struct kmonitor_event *event;
	size_t len = join(expected, self->quick, seen);

	event = run(self->fd, &self->log, self->quick, argv);
	EXPECT_EQ(1, event->exec.nr_args);
	ASSERT_EQ(len, text_of(_metadata, event, text, 0));
	EXPECT_EQ(0, memcmp(expected, text, len));
}

TEST_F(monitor, arguments_are_kept_byte_by_byte)
{
	char text[MAX_PARTS * PART], expected[1024], every[256];
	char *argv[] = { "", every, " ", "\n", "\xff\xfe", "-", "", NULL };
	const struct kmonitor_event *event;
	size_t len;

	for (int i = 0; i < 255; i++)
		every[i] = (char)(i + 1);
	every[255] = '\0';
	len = join(expected, self->quick, argv);
	event = run(self->fd, &self->log, self->quick, argv);
	EXPECT_EQ(7, event->exec.nr_args);
	ASSERT_EQ(len, text_of(_metadata, event, text, 0));
	EXPECT_EQ(0, memcmp(expected, text, len));
}

/* The longest argument, the longest arguments, and very many. */
TEST_F(monitor, arguments_that_are_cut_are_counted)
{
	static const struct {
		unsigned int nr;
		size_t len;
	} sizes[] = { { 1, 131000 }, { 20, 100000 }, { 150000, 12 } };
	const struct rlimit stack = { 64 << 20, 64 << 20 };
	static char text[MAX_PARTS * PART], expected[131072 + 256];
	static char argument[131072], *argv[150001];
	const struct kmonitor_event *event;

	must(setrlimit(RLIMIT_STACK, &stack));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		memset(argument, 'a' + (int)i, sizes[i].len);
		argument[sizes[i].len] = '\0';
		for (unsigned int k = 0; k < sizes[i].nr; k++)
			argv[k] = argument;
		argv[sizes[i].nr] = NULL;
		self->log.nr = 0;
		event = run(self->fd, &self->log, self->quick, argv);
		EXPECT_EQ(sizes[i].nr, event->exec.nr_args);
		ASSERT_EQ(sizeof(text), text_of(_metadata, event, text,
						KMONITOR_EVENT_TRUNCATED));
		/* As many of them as there is room for. */
		argv[sizeof(text) / sizes[i].len + 1] = NULL;
		join(expected, self->quick, argv);
		EXPECT_EQ(0, memcmp(expected, text, sizeof(text)));
	}
}

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

TEST_F(monitor, a_program_without_a_name_has_the_path_of_its_descriptor)
{
	char *argv[] = { "nameless", NULL };
	char text[MAX_PARTS * PART], expected[64], path[32];
	int memfd = must(memfd_create("program", MFD_CLOEXEC));
	const struct kmonitor_event *event;
	pid_t child;
	size_t len;

	copy_program(self->quick, memfd);
	snprintf(path, sizeof(path), "/dev/fd/%d", memfd);
	len = join(expected, path, argv);
	child = km_fork();
	if (!child) {
		fexecve(memfd, argv, environ);
		_exit(127);
	}
	ASSERT_EQ(0, km_join(child));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	event = km_find(&self->log, KMONITOR_PROCESS_EXEC, child);
	ASSERT_EQ(len, text_of(_metadata, event, text, 0));
	EXPECT_EQ(0, memcmp(expected, text, len));
	close(memfd);
}

static void write_script(const char *path, const char *interpreter,
			 const char *option)
{
	int file = must(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755));

	check(dprintf(file, "#!%s %s\n", interpreter, option) > 0,
	      "can't write %s", path);
	close(file);
}

TEST_F(monitor, a_script_of_a_script_has_the_arguments_of_both)
{
	char directory[] = "/tmp/args_test.XXXXXX", outer[64], inner[64];
	char text[MAX_PARTS * PART], expected[512];
	char *argv[] = { "outer", "a", NULL };
	char *seen[] = { self->quick, "-e", inner, "one two", outer, "a", NULL };
	const struct kmonitor_event *event;
	struct stat file;
	size_t len;

	check(mkdtemp(directory), "mkdtemp: %s", km_error(errno));
	snprintf(outer, sizeof(outer), "%s/outer", directory);
	snprintf(inner, sizeof(inner), "%s/inner", directory);
	write_script(outer, inner, "one two");
	write_script(inner, self->quick, "-e");
	len = join(expected, outer, seen);
	event = run(self->fd, &self->log, outer, argv);
	must(unlink(outer));
	must(unlink(inner));
	must(rmdir(directory));
	must(stat(self->quick, &file));
	EXPECT_EQ(file.st_ino, event->exec.ino);
	EXPECT_EQ(KMONITOR_EXEC_SCRIPT, event->exec.flags);
	EXPECT_EQ(6, event->exec.nr_args);
	EXPECT_STREQ("outer", event->comm);
	ASSERT_EQ(len, text_of(_metadata, event, text, 0));
	EXPECT_EQ(0, memcmp(expected, text, len));
}

/* Runs a copy in a file system that nobody else has, which is its root. */
static void run_in_own_root(const char *program, char *const *argv, int to)
{
	char root[] = "/tmp/args_test.XXXXXX";
	struct stat info;
	int file;

	check(mkdtemp(root), "mkdtemp: %s", km_error(errno));
	must(unshare(CLONE_NEWNS));
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must(mount("none", root, "tmpfs", 0, NULL));
	must(chdir(root));
	file = must(open("program", O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
	copy_program(program, file);
	must(fstat(file, &info));
	close(file);
	must(write(to, &info, sizeof(info)));
	must(chroot("."));
	execv("/program", argv);
	_exit(127);
}

TEST_F(monitor, a_program_in_a_root_of_its_own_has_the_path_it_was_given)
{
	char text[MAX_PARTS * PART], expected[64];
	char *argv[] = { "in there", NULL };
	const struct kmonitor_event *event;
	struct stat file;
	int told[2];
	pid_t child;
	size_t len = join(expected, "/program", argv);

	km_gate(told);
	child = km_fork();
	if (!child)
		run_in_own_root(self->quick, argv, told[1]);
	ASSERT_EQ(0, km_join(child));
	ASSERT_EQ((ssize_t)sizeof(file), read(told[0], &file, sizeof(file)));
	km_read_until(self->fd, &self->log, KMONITOR_PROCESS_EXIT, child);
	event = km_find(&self->log, KMONITOR_PROCESS_EXEC, child);
	EXPECT_EQ(file.st_ino, event->exec.ino);
	EXPECT_EQ(major(file.st_dev), event->exec.dev_major);
	EXPECT_EQ(minor(file.st_dev), event->exec.dev_minor);
	ASSERT_EQ(len, text_of(_metadata, event, text, 0));
	EXPECT_EQ(0, memcmp(expected, text, len));
}

TEST_HARNESS_MAIN
