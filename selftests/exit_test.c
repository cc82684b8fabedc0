// SPDX-License-Identifier: GPL-2.0-only
/* THREAD_EXIT and PROCESS_EXIT: every field against the truth. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "common.h"

FIXTURE(monitor)
{
	int fd;
	struct km_log log;
};

FIXTURE_SETUP(monitor)
{
	self->fd = km_open(0);
	km_add(self->fd, KMONITOR_TARGET_TREE, 0, KM_LIFE, 42);
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
}

static const struct kmonitor_event *process_exit(int fd, struct km_log *log,
						 pid_t pid)
{
	km_read_until(fd, log, KMONITOR_PROCESS_EXIT, pid);
	check(km_count(log, KMONITOR_PROCESS_EXIT, pid) == 1,
	      "expected one PROCESS_EXIT of %d", pid);
	return km_find(log, KMONITOR_PROCESS_EXIT, pid);
}

TEST_F(monitor, the_status_is_what_waitpid_gives_for_each_exit_code)
{
	static const int codes[] = { 0, 1, 2, 42, 127, 128, 255, 256, -1 };
	int status;
	pid_t child;

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		child = km_fork();
		if (!child)
			_exit(codes[i]);
		status = km_join(child);
		EXPECT_EQ((codes[i] & 0xff) << 8, status);
		EXPECT_EQ(
			status,
			process_exit(self->fd, &self->log, child)->exit.status);
	}
}

TEST_F(monitor, the_status_is_what_waitpid_gives_for_each_signal)
{
	const struct rlimit no_core = { 0, 0 };
	const struct kmonitor_event *event;
	int status;
	pid_t child;

	for (int signo = 1; signo < 32; signo++) {
		child = km_fork();
		if (!child) {
			must(setrlimit(RLIMIT_CORE, &no_core));
			signal(signo, SIG_DFL);
			kill(getpid(), signo);
			_exit(42);
		}
		/* Stops are no end. */
		if (signo == SIGSTOP || signo == SIGTSTP || signo == SIGTTIN ||
		    signo == SIGTTOU)
			must(kill(child, SIGKILL));
		status = km_join(child);
		event = process_exit(self->fd, &self->log, child);
		EXPECT_EQ(status, event->exit.status)
		{
			TH_LOG("signal %d", signo);
		}
		EXPECT_EQ(status,
			  km_find(&self->log, KMONITOR_THREAD_EXIT, child)
				  ->exit.status);
	}
}

TEST_F(monitor, the_status_tells_of_a_core)
{
	const struct rlimit core = { RLIM_INFINITY, RLIM_INFINITY };
	char directory[] = "/tmp/exit_test.XXXXXX";
	char remove[64];
	pid_t child;
	int status;

	check(mkdtemp(directory), "mkdtemp: %s", km_error(errno));
	child = km_fork();
	if (!child) {
		must(chdir(directory));
		must(setrlimit(RLIMIT_CORE, &core));
		must(prctl(PR_SET_DUMPABLE, 1));
		raise(SIGSEGV);
		_exit(0);
	}
	status = km_join(child);
	snprintf(remove, sizeof(remove), "rm -r %s", directory);
	ASSERT_EQ(0, system(remove));
	ASSERT_TRUE(WCOREDUMP(status));
	EXPECT_EQ(SIGSEGV | 0x80, status);
	EXPECT_EQ(status,
		  process_exit(self->fd, &self->log, child)->exit.status);
}

static void *end_with_the_gate(void *arg)
{
	km_gate_wait(arg);
	return NULL;
}

static void *exit_group(void *arg)
{
	km_gate_wait(arg);
	_exit(7);
}

/* The leader's own code is 0; the process's is the group's. */
TEST_F(monitor, a_leader_that_leaves_first_has_its_own_status)
{
	const struct kmonitor_event *last, *leader;
	pthread_t thread;
	int gate[2];
	pid_t child;
	int status;

	km_gate(gate);
	child = km_fork();
	if (!child) {
		check(!pthread_create(&thread, NULL, exit_group, gate),
		      "no thread");
		syscall(SYS_exit, 3);
	}
	km_read_until(self->fd, &self->log, KMONITOR_THREAD_EXIT, child);
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_PROCESS_EXIT, child));
	km_gate_open(gate);
	status = km_join(child);
	EXPECT_EQ(7 << 8, status);
	last = process_exit(self->fd, &self->log, child);
	leader = km_find(&self->log, KMONITOR_THREAD_EXIT, child);
	EXPECT_EQ(3 << 8, leader->exit.status);
	EXPECT_EQ(0, leader->flags & KMONITOR_EVENT_LAST_THREAD);
	EXPECT_EQ(status, last->exit.status);
	EXPECT_EQ(child, last->tgid);
}

TEST_F(monitor, each_thread_ends_before_its_process_and_one_is_the_last)
{
	const struct kmonitor_event *event;
	pthread_t thread;
	int gate[2], last = 0;
	pid_t child;

	km_gate(gate);
	child = km_fork();
	if (!child) {
		for (int i = 0; i < 8; i++)
			check(!pthread_create(&thread, NULL, end_with_the_gate,
					      gate),
			      "no thread");
		for (int i = 0; i < 5; i++)
			km_gate_open(gate);
		_exit(0);
	}
	km_join(child);
	event = process_exit(self->fd, &self->log, child);
	EXPECT_EQ(event, self->log.event + self->log.nr - 1);
	EXPECT_EQ(8, km_count(&self->log, KMONITOR_THREAD_CREATE, 0));
	EXPECT_EQ(9, km_count(&self->log, KMONITOR_THREAD_EXIT, 0));
	for (size_t i = 0; i < self->log.nr; i++) {
		if (self->log.event[i].type == KMONITOR_THREAD_EXIT) {
			EXPECT_EQ(child, self->log.event[i].tgid);
			last += !!(self->log.event[i].flags &
				   KMONITOR_EVENT_LAST_THREAD);
		}
	}
	EXPECT_EQ(1, last);
}

TEST_F(monitor, exit_tells_who_it_was)
{
	const struct kmonitor_event *event, *birth;
	uint64_t ticks;
	int gate[2];
	pid_t child;

	km_gate(gate);
	child = km_fork();
	if (!child) {
		prctl(PR_SET_NAME, "a child's name");
		km_gate_wait(gate);
		_exit(0);
	}
	ticks = km_start_ticks(child);
	km_gate_open(gate);
	km_join(child);
	event = process_exit(self->fd, &self->log, child);
	birth = km_find_fork(&self->log, child);
	EXPECT_EQ(child, event->pid);
	EXPECT_EQ(child, event->tgid);
	EXPECT_EQ(getpid(), event->ppid);
	EXPECT_EQ(0, event->uid);
	EXPECT_EQ(0, event->flags);
	EXPECT_EQ(42, event->cookie);
	EXPECT_EQ(ticks, event->start_ns / 10000000);
	EXPECT_EQ(birth->fork.start_ns, event->start_ns);
	EXPECT_STREQ("a child's name", event->comm);
	EXPECT_LE(birth->time_ns, event->time_ns);
	EXPECT_EQ(0, event->exit.flags);
}

TEST_F(monitor, the_parent_of_an_orphan_is_its_reaper)
{
	const struct kmonitor_event *event;
	pid_t child, orphan;
	int gate[2], answer[2];

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	km_gate(gate);
	km_gate(answer);
	child = km_fork();
	if (!child) {
		orphan = km_fork();
		if (!orphan) {
			km_gate_wait(gate);
			_exit(0);
		}
		must(write(answer[1], &orphan, sizeof(orphan)));
		_exit(0);
	}
	must(read(answer[0], &orphan, sizeof(orphan)));
	km_join(child);
	km_gate_open(gate);
	km_join(orphan);
	event = process_exit(self->fd, &self->log, orphan);
	EXPECT_EQ(child, km_find_fork(&self->log, orphan)->fork.ppid);
	EXPECT_EQ(getpid(), event->ppid);
}

/* CPU time of the calling thread. */
static void burn(unsigned int ms)
{
	struct timespec spent;

	do
		must(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent));
	while (spent.tv_sec * 1000 + spent.tv_nsec / 1000000 < (long)ms);
}

static void *burn_in_thread(void *arg)
{
	burn(150);
	*(pid_t *)arg = gettid();
	return NULL;
}

static uint64_t cpu_ns(const struct kmonitor_event *event)
{
	return event->exit.utime_ns + event->exit.stime_ns;
}

static uint64_t ns_of(struct timeval time)
{
	return (time.tv_sec * 1000000ULL + time.tv_usec) * 1000;
}

/* One page fault for each page. */
static void touch(size_t size)
{
	volatile char *memory = must(mmap(NULL, size, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	for (size_t at = 0; at < size; at += KM_PAGE)
		memory[at] = 1;
}

TEST_F(monitor, the_usage_is_the_processs_own)
{
	const size_t touched = 4 << 20;
	const struct kmonitor_event *event;
	pthread_t thread;
	struct rusage usage;
	pid_t child, tid;

	child = km_fork();
	if (!child) {
		touch(touched);
		check(!pthread_create(&thread, NULL, burn_in_thread, &tid),
		      "no thread");
		pthread_join(thread, NULL);
		burn(50);
		_exit(0);
	}
	must(wait4(child, NULL, 0, &usage));
	event = process_exit(self->fd, &self->log, child);
	/* The thread's and the leader's together; a tick may be missing. */
	EXPECT_LE(180000000, cpu_ns(event));
	EXPECT_GE(ns_of(usage.ru_utime) + ns_of(usage.ru_stime) + 1000000,
		  cpu_ns(event));
	EXPECT_EQ((uint64_t)usage.ru_maxrss, event->exit.maxrss_kib);
	EXPECT_LE(touched / KM_PAGE, event->exit.min_flt);
	EXPECT_GE((uint64_t)usage.ru_minflt, event->exit.min_flt);
	EXPECT_GE((uint64_t)usage.ru_majflt, event->exit.maj_flt);
}

TEST_F(monitor, the_usage_of_a_thread_is_its_own)
{
	const struct kmonitor_event *event;
	pthread_t thread;
	pid_t tid;

	ASSERT_EQ(0, pthread_create(&thread, NULL, burn_in_thread, &tid));
	pthread_join(thread, NULL);
	km_read_until(self->fd, &self->log, KMONITOR_THREAD_EXIT, tid);
	event = km_find(&self->log, KMONITOR_THREAD_EXIT, tid);
	EXPECT_LE(130000000, cpu_ns(event));

	burn(300);
	ASSERT_EQ(0, pthread_create(&thread, NULL, end_with_the_gate,
				    (int[]){ open("/dev/zero", O_RDONLY), 0 }));
	pthread_join(thread, NULL);
	km_drain(self->fd, &self->log);
	event = self->log.event + self->log.nr - 1;
	ASSERT_EQ(KMONITOR_THREAD_EXIT, event->type);
	EXPECT_GE(100000000, cpu_ns(event));
}

TEST_F(monitor, the_cgroup_is_the_one_of_the_directory)
{
	const struct kmonitor_event *event;
	char directory[64], procs[96];
	struct stat info;
	pid_t child;
	int file;

	must(mkdir("/tmp/cgroup", 0755) && errno != EEXIST ? -1 : 0);
	must(mount("cgroup2", "/tmp/cgroup", "cgroup2", 0, NULL));
	snprintf(directory, sizeof(directory), "/tmp/cgroup/exit_test.%d",
		 getpid());
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", directory);
	must(mkdir(directory, 0755));
	must(stat(directory, &info));
	child = km_fork();
	if (!child) {
		pid_t grandchild;

		file = must(open(procs, O_WRONLY | O_CLOEXEC));
		check(dprintf(file, "0") == 1, "can't move to the cgroup");
		close(file);
		grandchild = km_fork();
		if (grandchild)
			km_join(grandchild);
		_exit(0);
	}
	km_join(child);
	event = process_exit(self->fd, &self->log, child);
	must(rmdir(directory));
	must(umount("/tmp/cgroup"));
	must(rmdir("/tmp/cgroup"));
	EXPECT_EQ(info.st_ino, event->cgroup_id);
	event = km_find(&self->log, KMONITOR_PROCESS_FORK, child);
	ASSERT_NE(NULL, event);
	EXPECT_EQ(info.st_ino, event->cgroup_id);
	EXPECT_EQ(info.st_ino, event->fork.cgroup_id);
	/* Before the move it was another. */
	event = km_find_fork(&self->log, child);
	EXPECT_NE(0, event->fork.cgroup_id);
	EXPECT_NE(info.st_ino, event->fork.cgroup_id);
}

TEST_F(monitor, an_exit_does_not_wait_to_be_reaped)
{
	const struct kmonitor_event *event;
	pid_t child[50];

	for (int i = 0; i < 50; i++)
		child[i] = km_fork_to_end(i % 2);
	for (int i = 0; i < 50; i++) {
		event = process_exit(self->fd, &self->log, child[i]);
		EXPECT_EQ((i % 2) << 8, event->exit.status);
		EXPECT_EQ(getpid(), event->ppid);
		/* Nobody has reaped it. */
		EXPECT_NE(0, km_state(child[i]));
	}
	for (int i = 0; i < 50; i++)
		km_join(child[i]);
	km_drain(self->fd, &self->log);
	EXPECT_EQ(50, km_count(&self->log, KMONITOR_PROCESS_EXIT, 0));
}

TEST_HARNESS_MAIN
