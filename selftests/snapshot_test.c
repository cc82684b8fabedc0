// SPDX-License-Identifier: GPL-2.0-only
/* Promise 7: list, then watch, without a gap. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "common.h"
#include "monitor_fixture.h"
#include "storm.h"

#define NOBODY 65534

#define PROCESS KMONITOR_TARGET_PROCESS
#define TREE KMONITOR_TARGET_TREE
#define ALL KMONITOR_TARGET_ALL

static int snapshot(int fd, uint64_t handle, uint64_t token)
{
	struct kmonitor_snapshot arg = { .handle = handle, .token = token };

	return km_ioctl(fd, KMONITOR_IOC_SNAPSHOT, &arg);
}

static void *wait_at_gate(void *gate)
{
	km_gate_wait(gate);
	return NULL;
}

TEST_F(monitor, a_task_record_describes_the_process)
{
	const struct kmonitor_event *task, *fork;
	pthread_t thread;
	struct stat info;
	int ready[2];
	pid_t child;

	km_gate(ready);
	km_add(self->fd, PROCESS, 0, KMONITOR_PROCESS_FORK, 1);
	child = km_fork();
	if (!child) {
		must(setsid());
		must(prctl(PR_SET_NAME, "described"));
		pthread_create(&thread, NULL, wait_at_gate, self->gate);
		km_gate_open(ready);
		km_gate_wait(self->gate);
		_exit(0);
	}
	km_gate_wait(ready);
	km_add(self->fd, TREE, child, 0, 77);
	EXPECT_EQ(1, km_list(self->fd, 0, 5, &self->log));
	ASSERT_EQ(4, self->log.nr);
	fork = km_find_fork(&self->log, child);
	task = km_find(&self->log, KMONITOR_TASK, child);
	ASSERT_NE(NULL, fork);
	ASSERT_NE(NULL, task);
	EXPECT_LT(fork, task);
	EXPECT_EQ(77, task->cookie);
	EXPECT_EQ(0, task->flags);
	EXPECT_EQ(child, task->tgid);
	EXPECT_EQ(getpid(), task->ppid);
	EXPECT_EQ(0, task->uid);
	EXPECT_EQ(fork->fork.start_ns, task->start_ns);
	EXPECT_EQ(fork->fork.cgroup_id, task->cgroup_id);
	EXPECT_EQ(fork->fork.pidfd_ino, task->task.pidfd_ino);
	EXPECT_STREQ("described", task->comm);
	EXPECT_EQ(child, task->task.sid);
	EXPECT_EQ(child, task->task.pgid);
	EXPECT_EQ(2, task->task.nr_threads);
	EXPECT_EQ(5, task->task.token);
	must(stat("/proc/self/exe", &info));
	EXPECT_EQ(info.st_ino, task->task.ino);
	EXPECT_EQ(major(info.st_dev), task->task.dev_major);
	EXPECT_EQ(minor(info.st_dev), task->task.dev_minor);
	EXPECT_EQ(0, task->task.flags);
	/* This process, by its other entry, and the end. */
	task = km_find(&self->log, KMONITOR_TASK, getpid());
	ASSERT_NE(NULL, task);
	EXPECT_EQ(1, task->cookie);
	EXPECT_EQ(KMONITOR_SNAPSHOT_END, self->log.event[3].type);
	EXPECT_EQ(5, self->log.event[3].task.token);
	/* One token for each thread. */
	km_gate_open(self->gate);
	km_gate_open(self->gate);
	km_join(child);
}

TEST_F(monitor, a_handle_lists_its_entry_alone)
{
	pid_t child = km_fork_at_gate(self->gate);
	uint64_t handle, other;

	other = km_add(self->fd, TREE, 0, 0, 1);
	handle = km_add(self->fd, PROCESS, child, 0, 2);
	km_list(self->fd, handle, 1, &self->log);
	ASSERT_EQ(2, self->log.nr);
	EXPECT_EQ(child, self->log.event[0].pid);
	EXPECT_EQ(2, self->log.event[0].cookie);
	km_list(self->fd, other, 2, &self->log);
	ASSERT_EQ(5, self->log.nr);
	EXPECT_EQ(2, km_count(&self->log, KMONITOR_TASK, child));
	EXPECT_EQ(1, km_find(&self->log, KMONITOR_TASK, getpid())->cookie);
	EXPECT_EQ(1, self->log.event[3].cookie);
	km_gate_open(self->gate);
	km_join(child);
	EXPECT_EQ(-ENOENT, snapshot(self->fd, handle, 3));
	EXPECT_EQ(-ENOENT, snapshot(self->fd, UINT64_MAX, 3));
}

TEST_F(monitor, zombies_and_strangers_are_not_listed)
{
	pid_t stranger = km_fork_at_gate(self->gate);
	pid_t zombie, root;
	siginfo_t info;
	int ready[2];

	km_gate(ready);
	root = km_fork();
	if (!root) {
		zombie = km_fork();
		if (!zombie)
			_exit(0);
		must(waitid(P_PID, zombie, &info, WEXITED | WNOWAIT));
		km_gate_open(ready);
		km_gate_wait(self->gate);
		_exit(0);
	}
	km_gate_wait(ready);
	km_add(self->fd, TREE, root, 0, 1);
	km_list(self->fd, 0, 1, &self->log);
	ASSERT_EQ(2, self->log.nr);
	EXPECT_EQ(root, self->log.event[0].pid);
	km_gate_open(self->gate);
	km_gate_open(self->gate);
	km_join(root);
	km_join(stranger);
}

/* It stops at half of the ring, and goes on where it was. */
TEST_F(monitor, a_small_ring_takes_many_calls_and_no_loss)
{
	pid_t child[40];
	int fd = km_open(16);

	for (int i = 0; i < 40; i++)
		child[i] = km_fork_at_gate(self->gate);
	km_add(fd, TREE, 0, KM_LIFE, 1);
	EXPECT_EQ(1, snapshot(fd, 0, 9));
	EXPECT_EQ(8, km_stats(fd).depth);
	EXPECT_EQ(1, snapshot(fd, 0, 9));
	EXPECT_EQ(8, km_stats(fd).depth);
	EXPECT_LE(5, km_list(fd, 0, 9, &self->log));
	EXPECT_EQ(42, self->log.nr);
	for (int i = 0; i < 40; i++)
		EXPECT_EQ(1, km_count(&self->log, KMONITOR_TASK, child[i]));
	EXPECT_EQ(0, km_stats(fd).lost);
	EXPECT_EQ(0, km_stats(fd).pending);

	/* Another token starts anew, as does the same one after the end. */
	EXPECT_EQ(1, snapshot(fd, 0, 9));
	km_drain(fd, &self->log);
	EXPECT_EQ(50, self->log.nr);
	km_list(fd, 0, 10, &self->log);
	EXPECT_EQ(92, self->log.nr);
	EXPECT_EQ(2, km_count(&self->log, KMONITOR_SNAPSHOT_END, 0));
	for (int i = 0; i < 40; i++)
		km_gate_open(self->gate);
	for (int i = 0; i < 40; i++)
		km_join(child[i]);
	close(fd);
}

/* A ring full of other records delays the end; it doesn't lose it. */
TEST_F(monitor, the_end_waits_for_room)
{
	/* There is a process behind the one that is listed. */
	pid_t other = km_fork_at_gate(self->gate);
	int fd = km_open(2);

	km_add(fd, PROCESS, 0, KMONITOR_PROCESS_FORK, 1);
	EXPECT_EQ(1, snapshot(fd, 0, 1));
	km_join(km_fork_to_end(0));
	EXPECT_EQ(2, km_stats(fd).depth);
	EXPECT_EQ(1, snapshot(fd, 0, 1));
	km_drain(fd, &self->log);
	EXPECT_EQ(0, snapshot(fd, 0, 1));
	km_drain(fd, &self->log);
	ASSERT_EQ(3, self->log.nr);
	EXPECT_EQ(KMONITOR_TASK, self->log.event[0].type);
	EXPECT_EQ(KMONITOR_PROCESS_FORK, self->log.event[1].type);
	EXPECT_EQ(KMONITOR_SNAPSHOT_END, self->log.event[2].type);
	EXPECT_EQ(0, km_stats(fd).lost);
	km_gate_open(self->gate);
	km_join(other);
	close(fd);
}

TEST_F(monitor, each_argument_is_answered_as_documented)
{
	struct kmonitor_snapshot arg = {};

	EXPECT_EQ(0, km_ioctl(self->fd, KMONITOR_IOC_SNAPSHOT, &arg));
	arg.reserved = 1;
	EXPECT_EQ(-EINVAL, km_ioctl(self->fd, KMONITOR_IOC_SNAPSHOT, &arg));
	arg.reserved = 1ULL << 63;
	EXPECT_EQ(-EINVAL, km_ioctl(self->fd, KMONITOR_IOC_SNAPSHOT, &arg));
	EXPECT_EQ(-EFAULT, km_ioctl(self->fd, KMONITOR_IOC_SNAPSHOT, NULL));
	EXPECT_EQ(-EINVAL, km_ioctl(self->fd, _IOC(1, 0xDE, 4, 23), &arg));
	EXPECT_EQ(-E2BIG, km_ioctl(self->fd, _IOC(1, 0xDE, 4, 8192), &arg));
	km_drain(self->fd, &self->log);
	EXPECT_EQ(1, self->log.nr);
}

/* All that /proc has, kernel threads too. */
TEST_F(monitor, all_lists_every_process)
{
	struct km_log log = {};

	km_add(self->fd, ALL, 0, 0, 3);
	km_list(self->fd, 0, 1, &log);
	EXPECT_EQ(1, km_count(&log, KMONITOR_TASK, 1));
	EXPECT_EQ(1, km_count(&log, KMONITOR_TASK, 2));
	EXPECT_EQ(1, km_count(&log, KMONITOR_TASK, getpid()));
	EXPECT_EQ(1, km_count(&log, KMONITOR_TASK, getppid()));
	EXPECT_EQ(0, km_find(&log, KMONITOR_TASK, 2)->task.ino);
	EXPECT_NE(0, km_find(&log, KMONITOR_TASK, 1)->task.ino);
}

/* A member of another user is listed without details; others are not. */
TEST_F(monitor, who_may_not_be_seen_is_redacted)
{
	const struct kmonitor_event *task;
	pid_t child = km_fork_at_gate(self->gate);

	km_add(self->fd, TREE, child, 0, 1);
	km_add(self->fd, ALL, 0, 0, 2);
	must(setresgid(NOBODY, NOBODY, NOBODY));
	must(setresuid(NOBODY, NOBODY, NOBODY));
	must(prctl(PR_SET_DUMPABLE, 1));
	km_list(self->fd, 0, 1, &self->log);
	task = km_find(&self->log, KMONITOR_TASK, child);
	ASSERT_NE(NULL, task);
	EXPECT_EQ(KMONITOR_EVENT_REDACTED, task->flags);
	EXPECT_EQ((uint32_t)-1, task->uid);
	EXPECT_EQ(0, task->cgroup_id);
	EXPECT_STREQ("", task->comm);
	EXPECT_NE(0, task->start_ns);
	EXPECT_EQ(1, task->task.token);
	EXPECT_EQ(0, task->task.sid);
	EXPECT_EQ(0, task->task.nr_threads);
	EXPECT_EQ(0, task->task.ino);
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_TASK, getpid()));
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_TASK, 1));
	km_gate_open(self->gate);
}

/* Many processes, which share this one's memory. */

struct crowd {
	unsigned int nr;
	pid_t *pid;
	char *stacks;
};

#define CROWD_STACK 1024
#define CROWD_PROCESSES (CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD)
#define CROWD_THREADS \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

static int idle(void *arg)
{
	(void)arg;
	for (;;)
		syscall(SYS_pause);
	return 0;
}

static void raise_crowd(struct crowd *crowd, unsigned int nr, int flags)
{
	crowd->nr = nr;
	crowd->pid = calloc(nr, sizeof(*crowd->pid));
	crowd->stacks = must(mmap(NULL, (size_t)nr * CROWD_STACK,
				  PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	for (unsigned int i = 0; i < nr; i++)
		crowd->pid[i] =
			must(clone(idle, crowd->stacks + (i + 1) * CROWD_STACK,
				   flags, NULL));
}

static void dismiss_crowd(struct crowd *crowd)
{
	for (unsigned int i = 0; i < crowd->nr; i++)
		kill(crowd->pid[i], SIGKILL);
	for (unsigned int i = 0; i < crowd->nr; i++)
		km_join(crowd->pid[i]);
}

TEST_F(monitor, a_crowd_is_listed_once_each)
{
	struct crowd crowd;

	raise_crowd(&crowd, km_scale(6000, 1000), CROWD_PROCESSES);
	km_add(self->fd, TREE, 0, 0, 1);
	km_list(self->fd, 0, 1, &self->log);
	dismiss_crowd(&crowd);
	ASSERT_EQ(crowd.nr + 2, self->log.nr);
	/* They come by process id, and so does the test before its children. */
	for (size_t i = 1; i + 1 < self->log.nr; i++)
		ASSERT_LT(self->log.event[i - 1].tgid, self->log.event[i].tgid);
}

static pid_t fork_for_ever(int gate[2])
{
	pid_t child = km_fork();

	if (child)
		return child;
	km_gate_wait(gate);
	for (;;)
		km_join(km_fork_to_end(0));
}

/* Each process is there once, no thread is; the forks while they were listed. */
static unsigned int check_crowds(const struct km_log *log,
				 const struct crowd *processes,
				 const struct crowd *threads)
{
	uint8_t *tasks = calloc(1 << 22, sizeof(*tasks));
	const pid_t first = processes->pid[0];
	const pid_t last = processes->pid[processes->nr - 1];
	unsigned int forks = 0;

	check(tasks, "no memory for the count");
	for (size_t i = 0; i < log->nr; i++) {
		if (log->event[i].type == KMONITOR_TASK)
			tasks[log->event[i].tgid]++;
		else if (log->event[i].type == KMONITOR_PROCESS_FORK)
			forks += tasks[first] && !tasks[last];
	}
	check(tasks[getpid()] == 1, "expected one TASK of the test");
	for (unsigned int i = 0; i < processes->nr; i++)
		check(tasks[processes->pid[i]] == 1,
		      "expected one TASK of process %d, got %u",
		      processes->pid[i], tasks[processes->pid[i]]);
	for (unsigned int i = 0; i < threads->nr; i++)
		check(!tasks[threads->pid[i]], "TASK of thread %d",
		      threads->pid[i]);
	free(tasks);
	return forks;
}

/* One call lists them; whoever forks meanwhile finds no lock held for long. */
TEST_F(monitor, others_fork_while_a_hundred_thousand_tasks_are_listed)
{
	const unsigned int nr = km_scale(50000, 2000);
	const long pid_max = km_sysctl("/proc/sys/kernel/pid_max", 1 << 22);
	const long threads_max =
		km_sysctl("/proc/sys/kernel/threads-max", 1 << 22);
	struct crowd processes, threads;
	pid_t forker = fork_for_ever(self->gate);
	unsigned int forks = 0;
	int fd = km_open(1 << 18);

	raise_crowd(&processes, nr, CROWD_PROCESSES);
	raise_crowd(&threads, nr, CROWD_THREADS);
	km_add(fd, TREE, 0, KMONITOR_PROCESS_FORK, 1);
	km_gate_open(self->gate);
	/* A busy host may not have let it run at once. */
	for (uint64_t token = 1; token <= 10 && forks < 10; token++) {
		self->log.nr = 0;
		EXPECT_EQ(1, km_list(fd, 0, token, &self->log));
		forks += check_crowds(&self->log, &processes, &threads);
	}
	EXPECT_LE(10, forks);
	TH_LOG("%u forks", forks);
	must(kill(forker, SIGKILL));
	km_join(forker);
	dismiss_crowd(&processes);
	close(fd);
	km_sysctl("/proc/sys/kernel/pid_max", pid_max);
	km_sysctl("/proc/sys/kernel/threads-max", threads_max);
}

/* Names and ids are numbers that grow.  The names fit in a word: not torn. */
static pid_t fork_changer(int gate[2])
{
	pid_t child = km_fork();
	char name[16];

	if (child)
		return child;
	km_gate_wait(gate);
	for (unsigned int i = 1;; i++) {
		snprintf(name, sizeof(name), "%07u", i % 10000000);
		must(prctl(PR_SET_NAME, name));
		must(setresuid(i, -1, -1));
	}
}

struct changes {
	unsigned int name;
	unsigned int uid;
	unsigned int tasks;
	unsigned int seen;
};

static void check_changes(const struct km_log *log, struct changes *last)
{
	for (size_t i = 0; i < log->nr; i++) {
		const struct kmonitor_event *e = &log->event[i];
		const unsigned int name = strtoul(e->comm, NULL, 10);

		switch (e->type) {
		case KMONITOR_COMM:
			last->name = name;
			last->seen++;
			break;
		case KMONITOR_CRED:
			last->uid = e->uid;
			last->seen++;
			break;
		case KMONITOR_TASK:
			check(name >= last->name, "TASK named %u after COMM %u",
			      name, last->name);
			check(e->uid >= last->uid, "TASK of %u after CRED %u",
			      e->uid, last->uid);
			last->tasks++;
			break;
		}
	}
}

TEST_F(monitor, a_task_is_not_older_than_its_changes)
{
	const unsigned int rounds = km_scale(20000, 2000);
	pid_t child = fork_changer(self->gate);
	struct changes last = {};

	km_add(self->fd, PROCESS, child, KMONITOR_COMM | KMONITOR_CRED, 1);
	km_gate_open(self->gate);
	for (unsigned int i = 0; i < rounds; i++) {
		self->log.nr = 0;
		km_list(self->fd, 0, 1, &self->log);
		check_changes(&self->log, &last);
	}
	TH_LOG("%u changes", last.seen);
	EXPECT_EQ(rounds, last.tasks);
	EXPECT_LT(0, last.seen);
	must(kill(child, SIGKILL));
	km_join(child);
}

/* The state of each process by the log, checked record by record. */

enum known {
	UNKNOWN,
	ALIVE,
	GONE,
};

struct life {
	uint64_t start_ns;
	enum known known;
	/* The program, and the one that TASK had before its EXEC; 0 is none. */
	uint64_t ino;
	uint64_t next;
};

static struct life *life_of(struct life *lives, pid_t pid, uint64_t start_ns)
{
	struct life *life = &lives[pid];

	/* A process id that is used again names another process. */
	if (life->start_ns < start_ns) {
		life->start_ns = start_ns;
		life->known = UNKNOWN;
		life->ino = 0;
		life->next = 0;
	}
	check(life->start_ns == start_ns, "%d: the one before is back", pid);
	return life;
}

/*
 * TASK has the program of the last EXEC, or of the one that is under way: its
 * record must follow before the process does anything.
 */
static void check_program(struct life *life, const struct kmonitor_event *e)
{
	uint64_t ino = e->type == KMONITOR_TASK ? e->task.ino : e->exec.ino;

	if (e->type == KMONITOR_TASK) {
		/* A process about to end may have no program any more. */
		if (!ino)
			return;
		if (!life->ino)
			life->ino = ino;
		if (ino != life->ino && !life->next)
			life->next = ino;
		check(ino == (life->next ?: life->ino),
		      "TASK of %d with a program of before", e->tgid);
	} else {
		check(!life->next || (e->type == KMONITOR_PROCESS_EXEC &&
				      life->next == ino),
		      "%s of %d, which runs the program %ju",
		      km_type_name(e->type), e->tgid, (uintmax_t)life->next);
	}
	if (e->type == KMONITOR_PROCESS_EXEC) {
		life->ino = ino;
		life->next = 0;
	}
}

static void check_storm(const struct km_log *log, unsigned int *tasks)
{
	struct life *life, *lives = calloc(1 << 22, sizeof(*lives));
	bool complete = false;
	uint64_t ino;

	for (size_t i = 0; i < log->nr; i++) {
		const struct kmonitor_event *e = &log->event[i];

		if (e->type == KMONITOR_SNAPSHOT_END) {
			complete = true;
			continue;
		}
		if (e->type == KMONITOR_EMPTY)
			continue;
		life = life_of(lives, e->tgid, e->start_ns);
		check(life->known != GONE, "%s of %d after its PROCESS_EXIT",
		      km_type_name(e->type), e->tgid);
		/* A process that was ending while the others were listed may end later. */
		check(life->known == ALIVE || !complete ||
			      e->type == KMONITOR_TASK ||
			      e->type == KMONITOR_PROCESS_EXIT,
		      "%s of %d, which was not listed", km_type_name(e->type),
		      e->tgid);
		if (e->type == KMONITOR_PROCESS_EXIT)
			life->known = GONE;
		if (e->type == KMONITOR_TASK) {
			life->known = ALIVE;
			++*tasks;
		}
		check_program(life, e);
		if (e->type != KMONITOR_PROCESS_FORK)
			continue;
		ino = life->ino;
		life = life_of(lives, e->fork.tgid, e->fork.start_ns);
		check(life->known == UNKNOWN, "FORK of %d after its TASK",
		      e->fork.tgid);
		life->known = ALIVE;
		life->ino = ino;
	}
	free(lives);
}

static void brew(const char *program)
{
	char *argv[] = { (char *)program, NULL };

	for (unsigned int i = 0;; i++)
		storm_round(i % 3, argv);
}

/* Each round starts in the middle of the storm, with a new descriptor. */
TEST(list_then_watch_has_no_gap)
{
	const unsigned int rounds = km_scale(60, 12);
	char *program = km_helper("quick");
	unsigned int tasks = 0;
	struct km_log log = {};
	pid_t root, storm;
	int fd;

	root = km_fork();
	if (!root) {
		must(prctl(PR_SET_CHILD_SUBREAPER, 1));
		for (int i = 0; i < 4; i++) {
			storm = km_fork();
			if (!storm) {
				must(prctl(PR_SET_PDEATHSIG, SIGKILL));
				brew(program);
			}
		}
		pause();
	}
	for (unsigned int i = 0; i < rounds; i++) {
		fd = km_open(i % 2 ? 32 : 32768);
		log.nr = 0;
		km_add(fd, i % 4 < 2 ? TREE : ALL, i % 4 < 2 ? root : 0,
		       KMONITOR_PROCESS_FORK | KMONITOR_PROCESS_EXEC |
			       KMONITOR_PROCESS_EXIT,
		       1);
		for (uint64_t token = 1; token <= 3; token++)
			km_list(fd, 0, token, &log);
		usleep(1000);
		km_drain(fd, &log);
		/* The small ring tests resuming, and may lose live records. */
		if (!km_stats(fd).lost && !km_stats(fd).pending)
			check_storm(&log, &tasks);
		else
			ASSERT_EQ(1, i % 2);
		ASSERT_EQ(3, km_count(&log, KMONITOR_SNAPSHOT_END, 0));
		close(fd);
	}
	TH_LOG("%u TASK records", tasks);
	EXPECT_LE(rounds, tasks);
	must(kill(root, SIGKILL));
	km_join(root);
	free(program);
}

/* Conditions, and what is ignored. */

#define CGROUP KMONITOR_TARGET_CGROUP
#define UID KMONITOR_TARGET_UID

#define OUTER_CGROUP "/sys/fs/cgroup/snapshot_test"
#define INNER_CGROUP OUTER_CGROUP "/inner"

static pid_t fork_in_cgroup(const char *path, int gate[2])
{
	pid_t child = km_fork_at_gate(gate);
	char file[128], text[16];

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	snprintf(text, sizeof(text), "%d", child);
	km_must_write(file, text);
	return child;
}

TEST_F(monitor, conditions_list_their_processes)
{
	pid_t outside = km_fork_at_gate(self->gate);
	pid_t nobody = km_fork_as(NOBODY, NOBODY, self->gate);
	uint64_t cgroup, uid;
	pid_t outer, inner;
	struct stat info;

	must(mkdir(OUTER_CGROUP, 0755));
	must(mkdir(INNER_CGROUP, 0755));
	must(stat(OUTER_CGROUP, &info));
	outer = fork_in_cgroup(OUTER_CGROUP, self->gate);
	inner = fork_in_cgroup(INNER_CGROUP, self->gate);
	/* The events that they want make no difference. */
	cgroup = km_add(self->fd, CGROUP, info.st_ino, 0, 1);
	uid = km_add(self->fd, UID, NOBODY, KM_LIFE, 2);

	km_list(self->fd, cgroup, 1, &self->log);
	EXPECT_EQ(3, self->log.nr);
	ASSERT_EQ(1, km_count(&self->log, KMONITOR_TASK, outer));
	ASSERT_EQ(1, km_count(&self->log, KMONITOR_TASK, inner));
	EXPECT_EQ(1, km_find(&self->log, KMONITOR_TASK, outer)->cookie);
	EXPECT_EQ(info.st_ino,
		  km_find(&self->log, KMONITOR_TASK, outer)->cgroup_id);

	self->log.nr = 0;
	km_list(self->fd, uid, 2, &self->log);
	ASSERT_EQ(1, km_count(&self->log, KMONITOR_TASK, nobody));
	for (size_t i = 0; i + 1 < self->log.nr; i++) {
		EXPECT_EQ(NOBODY, self->log.event[i].uid);
		EXPECT_EQ(2, self->log.event[i].cookie);
	}

	/* Together. */
	self->log.nr = 0;
	km_list(self->fd, 0, 3, &self->log);
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_TASK, outer));
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_TASK, inner));
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_TASK, nobody));
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_TASK, outside));
	for (int i = 0; i < 4; i++)
		km_gate_open(self->gate);
	while (wait(NULL) > 0)
		;
	must(rmdir(INNER_CGROUP));
	must(rmdir(OUTER_CGROUP));
}

static void ignore(int fd, uint32_t target, uint64_t id, uint32_t events)
{
	struct kmonitor_filter filter = {
		.target = target,
		.flags = KMONITOR_FILTER_IGNORE,
		.id = id,
		.events = events,
	};
	int ret = km_ioctl(fd, KMONITOR_IOC_FILTER_ADD, &filter);

	check(!ret, "FILTER_ADD: %s", km_error(ret));
}

/* A process whose exit the filters suppress is not listed; all others are. */
TEST_F(monitor, what_is_ignored_is_not_listed)
{
	pid_t quiet = km_fork_at_gate(self->gate);
	pid_t partly = km_fork_at_gate(self->gate);
	pid_t nobody = km_fork_as(NOBODY, NOBODY, self->gate);
	pid_t plain = km_fork_at_gate(self->gate);

	km_add(self->fd, TREE, 0, KM_LIFE, 1);
	ignore(self->fd, PROCESS, quiet, 0);
	ignore(self->fd, PROCESS, partly, KM_LIFE & ~KMONITOR_PROCESS_EXIT);
	ignore(self->fd, UID, NOBODY, KMONITOR_PROCESS_EXIT);
	km_list(self->fd, 0, 1, &self->log);
	EXPECT_EQ(4, self->log.nr);
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_TASK, quiet));
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_TASK, partly));
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_TASK, nobody));
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_TASK, plain));
	EXPECT_EQ(1, km_count(&self->log, KMONITOR_TASK, getpid()));

	/* None is, if all are ignored; the end is reported. */
	ignore(self->fd, ALL, 0, 0);
	km_list(self->fd, 0, 2, &self->log);
	EXPECT_EQ(5, self->log.nr);
	for (int i = 0; i < 4; i++)
		km_gate_open(self->gate);
	while (wait(NULL) > 0)
		;
}

/* A child of nobody's that nobody but root may look at. */
static pid_t fork_secret(int gate[2])
{
	int ready[2];
	pid_t child;

	km_gate(ready);
	child = km_fork();
	if (!child) {
		if (!getuid())
			km_become(NOBODY, NOBODY);
		must(prctl(PR_SET_DUMPABLE, 0));
		km_gate_open(ready);
		km_gate_wait(gate);
		_exit(0);
	}
	km_gate_wait(ready);
	return child;
}

/* It lists the members of the creator's tree, and no strangers. */
TEST_F(monitor, root_lists_no_more_than_the_creator_may_see)
{
	pid_t secret = fork_secret(self->gate);
	pid_t open = km_fork_as(NOBODY, NOBODY, self->gate);
	const struct kmonitor_event *task;
	pid_t creator, member = 0;
	int sockets[2];
	int fd;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	creator = km_fork();
	if (!creator) {
		km_become(NOBODY, NOBODY);
		fd = km_open(0);
		km_add(fd, TREE, 0, 0, 1);
		km_add(fd, UID, NOBODY, 0, 2);
		fork_secret(self->gate);
		km_send_fd(sockets[0], fd);
		km_gate_wait(self->gate);
		_exit(0);
	}
	fd = km_receive_fd(sockets[1]);
	km_list(fd, 0, 1, &self->log);
	EXPECT_EQ(0, km_count(&self->log, KMONITOR_TASK, secret));
	task = km_find(&self->log, KMONITOR_TASK, open);
	ASSERT_NE(NULL, task);
	EXPECT_EQ(0, task->flags);
	EXPECT_EQ(2, task->cookie);
	task = km_find(&self->log, KMONITOR_TASK, creator);
	ASSERT_NE(NULL, task);
	EXPECT_EQ(0, task->flags);
	EXPECT_EQ(1, task->cookie);
	for (size_t i = 0; i < self->log.nr; i++) {
		task = &self->log.event[i];
		if (task->flags != KMONITOR_EVENT_REDACTED)
			continue;
		EXPECT_EQ(0, member);
		member = task->pid;
		EXPECT_EQ(creator, task->ppid);
		EXPECT_EQ(1, task->cookie);
		EXPECT_EQ((uint32_t)-1, task->uid);
		EXPECT_STREQ("", task->comm);
		EXPECT_EQ(0, task->task.ino);
	}
	EXPECT_NE(0, member);
	for (int i = 0; i < 4; i++)
		km_gate_open(self->gate);
	while (wait(NULL) > 0)
		;
	close(fd);
}

#define LISTERS 2
#define LISTED 5

/* So often, each time to its end: there is room for all of it. */
static void list_often(int fd, uint64_t token, unsigned int rounds)
{
	for (unsigned int i = 0; i < rounds; i++)
		check(!snapshot(fd, 0, token), "SNAPSHOT %u is not complete",
		      i);
}

/* Each one is whole, whoever makes another at the same time. */
TEST_F(monitor, two_snapshots_of_one_descriptor_are_whole)
{
	const unsigned int rounds = km_scale(500, 100);
	unsigned int ended[LISTERS] = {}, tasks = 0;
	pid_t lister[LISTERS], child[LISTED];
	int fd = km_open(32768);

	for (int i = 0; i < LISTED; i++) {
		child[i] = km_fork_at_gate(self->gate);
		km_add(fd, PROCESS, child[i], 0, 1);
	}
	for (uint64_t i = 0; i < LISTERS; i++) {
		lister[i] = km_fork();
		if (!lister[i]) {
			list_often(fd, i, rounds);
			_exit(0);
		}
	}
	for (int i = 0; i < LISTERS; i++)
		EXPECT_EQ(0, km_join(lister[i]));
	km_drain(fd, &self->log);
	EXPECT_EQ(LISTERS * rounds * (LISTED + 1), self->log.nr);
	for (size_t i = 0; i < self->log.nr; i++) {
		const struct kmonitor_event *e = &self->log.event[i];

		ASSERT_GT(LISTERS, e->task.token);
		if (e->type == KMONITOR_SNAPSHOT_END) {
			ASSERT_EQ(LISTED, tasks);
			ended[e->task.token]++;
			tasks = 0;
			continue;
		}
		ASSERT_EQ(KMONITOR_TASK, e->type);
		ASSERT_GT(LISTED, tasks);
		ASSERT_EQ(child[tasks], e->pid);
		if (tasks++)
			ASSERT_EQ(e[-1].task.token, e->task.token);
	}
	for (int i = 0; i < LISTERS; i++)
		EXPECT_EQ(rounds, ended[i]);
	for (int i = 0; i < LISTED; i++)
		km_gate_open(self->gate);
	while (wait(NULL) > 0)
		;
	close(fd);
}

TEST_HARNESS_MAIN
