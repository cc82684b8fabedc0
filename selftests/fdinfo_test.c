// SPDX-License-Identifier: GPL-2.0-only
/* fdinfo shows a supervisor that has executed itself anew the filters of its fd. */

#include "kselftest_harness.h"

#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common.h"

#define THREAD_TARGET KMONITOR_TARGET_THREAD
#define PROCESS KMONITOR_TARGET_PROCESS
#define TREE KMONITOR_TARGET_TREE
#define ALL KMONITOR_TARGET_ALL

struct entry {
	uint64_t handle, id, start_ns, cookie;
	uint32_t target, events, flags, members;
};

struct fdinfo {
	struct kmonitor_stats stats;
	uint32_t ring_records;
	uint32_t nr;
	struct entry entry[1024];
};

static bool take(const char *line, const char *key, __u64 *value)
{
	size_t len = strlen(key);

	return !strncmp(line, key, len) &&
	       sscanf(line + len, ":\t%llu\n", value) == 1;
}

static void parse_line(struct fdinfo *info, const char *line)
{
	struct entry *e = &info->entry[info->nr];
	__u64 value;

	if (!strncmp(line, "entry:", 6)) {
		check(info->nr < 1024, "too many entries");
		check(sscanf(line,
			     "entry:\thandle=%" SCNu64 " target=%u id=%" SCNu64
			     " start_ns=%" SCNu64
			     " events=%x flags=%x cookie=%" SCNx64
			     " members=%u\n",
			     &e->handle, &e->target, &e->id, &e->start_ns,
			     &e->events, &e->flags, &e->cookie,
			     &e->members) == 8,
		      "can't parse %s", line);
		info->nr++;
	} else if (take(line, "ring_records", &value)) {
		info->ring_records = value;
	} else if (take(line, "depth", &value)) {
		info->stats.depth = value;
	} else if (take(line, "peak", &value)) {
		info->stats.peak = value;
	} else if (!take(line, "matched", &info->stats.matched) &&
		   !take(line, "recorded", &info->stats.recorded) &&
		   !take(line, "lost", &info->stats.lost)) {
		take(line, "pending", &info->stats.pending);
	}
}

/* Every number must be there: none is 2^64 - 1 in earnest. */
static struct fdinfo parse(FILE *file)
{
	struct fdinfo info;
	char line[512];

	memset(&info, 0xff, sizeof(info));
	info.nr = 0;
	while (fgets(line, sizeof(line), file))
		parse_line(&info, line);
	fclose(file);
	info.stats.filters = info.nr;
	info.stats.reserved = 0;
	return info;
}

static struct fdinfo read_fdinfo(int fd)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	check(file, "%s: %s", path, km_error(errno));
	return parse(file);
}

static const struct entry *find(const struct fdinfo *info, uint64_t handle)
{
	for (uint32_t i = 0; i < info->nr; i++) {
		if (info->entry[i].handle == handle)
			return &info->entry[i];
	}
	return NULL;
}

static pid_t fork_waiting(int gate[2])
{
	pid_t child = km_fork();

	if (!child) {
		km_gate_wait(gate);
		_exit(0);
	}
	return child;
}

/* In a ring of 4: 2 read, some in the ring, some lost, some of these reported. */
TEST(the_numbers_are_those_of_stats)
{
	struct kmonitor_event event;
	struct kmonitor_stats stats;
	struct fdinfo info;
	int fd = km_open(4);

	info = read_fdinfo(fd);
	stats = (struct kmonitor_stats){};
	EXPECT_EQ(0, memcmp(&stats, &info.stats, sizeof(stats)));
	EXPECT_EQ(4, info.ring_records);

	km_add(fd, TREE, 0, KMONITOR_PROCESS_EXIT, 1);
	for (int i = 0; i < 12; i++) {
		pid_t child = km_fork();

		if (!child)
			_exit(0);
		km_join(child);
		if (i == 8) {
			km_next(fd, &event);
			km_next(fd, &event);
		}
	}
	stats = km_stats(fd);
	EXPECT_NE(0, stats.lost);
	EXPECT_NE(0, stats.pending);
	info = read_fdinfo(fd);
	EXPECT_EQ(0, memcmp(&stats, &info.stats, sizeof(stats)));
	close(fd);
}

TEST(each_entry_is_listed_as_it_is)
{
	int fd = km_open(64);
	const struct entry *e;
	uint64_t handle[4];
	struct fdinfo info;
	int gate[2];
	pid_t child;

	km_gate(gate);
	child = fork_waiting(gate);
	handle[0] = km_add(fd, THREAD_TARGET, 0, KMONITOR_THREAD_EXIT, 0);
	handle[1] = km_add(fd, PROCESS, child, 0, 1);
	handle[2] = km_add(fd, TREE, 0, KM_LIFE, UINT64_MAX);
	handle[3] = km_add(fd, ALL, 0, KMONITOR_PROCESS_EXEC, 3);
	info = read_fdinfo(fd);
	ASSERT_EQ(4, info.nr);

	e = find(&info, handle[0]);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(THREAD_TARGET, e->target);
	EXPECT_EQ(getpid(), e->id);
	EXPECT_EQ(KMONITOR_THREAD_EXIT, e->events);
	EXPECT_EQ(0, e->cookie);
	EXPECT_EQ(1, e->members);
	EXPECT_EQ(0, e->flags);

	e = find(&info, handle[1]);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(PROCESS, e->target);
	EXPECT_EQ(child, e->id);
	EXPECT_EQ(km_start_ticks(child), e->start_ns / 10000000);
	EXPECT_EQ(0, e->events);
	EXPECT_EQ(1, e->cookie);
	EXPECT_EQ(1, e->members);

	e = find(&info, handle[2]);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(TREE, e->target);
	EXPECT_EQ(getpid(), e->id);
	EXPECT_EQ(KM_LIFE, e->events);
	EXPECT_EQ(UINT64_MAX, e->cookie);
	EXPECT_EQ(2, e->members);

	e = find(&info, handle[3]);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(ALL, e->target);
	EXPECT_EQ(0, e->id);
	EXPECT_EQ(0, e->members);

	/* Edits and ends show. */
	EXPECT_EQ(0, km_del(fd, handle[0]));
	km_add(fd, TREE, 0, 0, 5);
	km_gate_open(gate);
	km_join(child);
	info = read_fdinfo(fd);
	EXPECT_EQ(2, info.nr);
	EXPECT_EQ(NULL, find(&info, handle[0]));
	EXPECT_EQ(NULL, find(&info, handle[1]));
	e = find(&info, handle[2]);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(5, e->cookie);
	EXPECT_EQ(1, e->members);
	close(fd);
}

TEST(members_are_the_processes_that_live)
{
	int fd = km_open(64);
	struct fdinfo info;
	uint64_t outer, inner;
	int gate[2], ready[2];
	pid_t root;

	km_gate(gate);
	km_gate(ready);
	outer = km_add(fd, TREE, 0, 0, 0);
	root = km_fork();
	if (!root) {
		for (int i = 0; i < 3; i++)
			fork_waiting(gate);
		/* One that has left and is not forgotten yet. */
		if (!km_fork())
			_exit(0);
		while (waitid(P_ALL, 0, &(siginfo_t){}, WEXITED | WNOWAIT))
			;
		km_gate_open(ready);
		km_gate_wait(gate);
		_exit(0);
	}
	km_gate_wait(ready);
	inner = km_add(fd, TREE, root, 0, 0);
	info = read_fdinfo(fd);
	EXPECT_EQ(5, find(&info, outer)->members);
	EXPECT_EQ(4, find(&info, inner)->members);
	must(kill(root, SIGKILL));
	km_join(root);
	info = read_fdinfo(fd);
	EXPECT_EQ(4, find(&info, outer)->members);
	EXPECT_EQ(3, find(&info, inner)->members);
	for (int i = 0; i < 3; i++)
		km_gate_open(gate);
	close(fd);
}

/* A new program that has the descriptor, and no memory of what it did. */
TEST(a_new_program_knows_its_filter_from_the_descriptor)
{
	const int inherited = 100;
	char path[64], *argv[] = { "cat", path, NULL };
	uint64_t tree, process;
	const struct entry *e;
	struct fdinfo info;
	int gate[2], out[2];
	pid_t child, self;
	int fd;

	km_gate(gate);
	child = fork_waiting(gate);
	km_gate(out);
	fd = km_open(64);
	must(dup2(fd, inherited));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", inherited);
	self = km_fork();
	if (!self) {
		km_add(inherited, TREE, 0, KM_LIFE, 0xabc);
		km_add(inherited, PROCESS, child, KMONITOR_PROCESS_EXIT, 0xdef);
		must(dup2(out[1], STDOUT_FILENO));
		execvp(argv[0], argv);
		_exit(127);
	}
	close(out[1]);
	info = parse(fdopen(out[0], "r"));
	EXPECT_EQ(0, km_join(self));
	ASSERT_EQ(2, info.nr);
	tree = info.entry[0].target == TREE ? 0 : 1;
	process = !tree;
	e = &info.entry[tree];
	EXPECT_EQ(TREE, e->target);
	EXPECT_EQ(self, e->id);
	EXPECT_EQ(KM_LIFE, e->events);
	EXPECT_EQ(0xabc, e->cookie);
	EXPECT_EQ(1, e->members);
	e = &info.entry[process];
	EXPECT_EQ(PROCESS, e->target);
	EXPECT_EQ(child, e->id);
	EXPECT_EQ(KMONITOR_PROCESS_EXIT, e->events);
	EXPECT_EQ(0xdef, e->cookie);
	/* The handle is good, in whoever's hands. */
	EXPECT_EQ(0, km_del(fd, e->handle));
	km_gate_open(gate);
	km_join(child);
	close(inherited);
	close(fd);
}

TEST(ids_are_the_creator_s_whoever_reads)
{
	struct fdinfo info;
	int gate[2], sockets[2];
	pid_t child;
	int fd;

	km_gate(gate);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	child = km_fork();
	if (!child) {
		must(unshare(CLONE_NEWPID));
		child = km_fork();
		if (child)
			_exit(km_join(child) >> 8);
		fd = km_open(64);
		km_add(fd, TREE, 0, 0, 0);
		km_send_fd(sockets[0], fd);
		km_gate_wait(gate);
		_exit(0);
	}
	fd = km_receive_fd(sockets[1]);
	info = read_fdinfo(fd);
	ASSERT_EQ(1, info.nr);
	EXPECT_EQ(1, info.entry[0].id);
	EXPECT_EQ(1, info.entry[0].members);
	km_gate_open(gate);
	EXPECT_EQ(0, km_join(child));
	close(fd);
}

/* More than any first buffer takes. */
TEST(many_entries_are_listed_to_the_last)
{
	const uint32_t nr = km_scale(300, 60);
	int fd = km_open(2);
	struct fdinfo info;
	uint64_t handle[900];
	int gate[2];
	pid_t child;

	km_gate(gate);
	for (uint32_t i = 0; i < nr; i++) {
		child = fork_waiting(gate);
		handle[3 * i] = km_add(fd, THREAD_TARGET, child, 0, 0);
		handle[3 * i + 1] = km_add(fd, PROCESS, child, 0, 0);
		handle[3 * i + 2] = km_add(fd, TREE, child, 0, 0);
	}
	info = read_fdinfo(fd);
	EXPECT_EQ(3 * nr, info.nr);
	for (uint32_t i = 0; i < 3 * nr; i++) {
		ASSERT_NE(NULL, find(&info, handle[i]));
		ASSERT_EQ(1, find(&info, handle[i])->members);
	}
	for (uint32_t i = 0; i < nr; i++)
		km_gate_open(gate);
	while (wait(NULL) > 0)
		;
	close(fd);
}

/*
 * A supervisor of three trees executes itself anew.  Their processes are kept
 * for the test, out of its reach; it writes all that it knows then into a file.
 */

#define TREES 3
#define COOKIE 0x5eed0000ULL
#define SUPERVISED 100
#define REBUILD "--rebuild"

struct born {
	pid_t pid;
	uint64_t cookie;
	bool ended;
};

struct truth {
	unsigned int nr;
	struct born born[16];
};

static pid_t bear(struct truth *truth, uint64_t cookie, int gate[2])
{
	pid_t child = fork_waiting(gate);

	truth->born[truth->nr++] =
		(struct born){ .pid = child, .cookie = cookie };
	return child;
}

/* The root comes first; its children follow it. */
static struct born *bear_tree(struct truth *truth, unsigned int children,
			      uint64_t cookie, int gate[2])
{
	struct born *root = &truth->born[truth->nr++];
	int ready[2];
	pid_t pid;

	km_gate(ready);
	pid = km_fork();
	if (!pid) {
		for (unsigned int i = 0; i < children; i++)
			bear(truth, cookie, gate);
		km_gate_open(ready);
		km_gate_wait(gate);
		_exit(0);
	}
	km_gate_wait(ready);
	close(ready[0]);
	close(ready[1]);
	*root = (struct born){ .pid = pid, .cookie = cookie };
	return root;
}

/* Whoever has not been waited for has ended all the same. */
static void end(struct born *born)
{
	must(kill(born->pid, SIGKILL));
	while (km_state(born->pid) != 'Z')
		sched_yield();
	born->ended = true;
}

/* Has its trees, loses some of their members and all that it knows of them. */
static void supervise(struct truth *truth, int out)
{
	struct born *root[TREES];
	int gate[2];

	km_gate(gate);
	must(dup2(km_open(0), SUPERVISED));
	for (unsigned int i = 0; i < TREES; i++) {
		root[i] = bear_tree(truth, i + 1, COOKIE + i, gate);
		km_add(SUPERVISED, TREE, root[i]->pid, KMONITOR_PROCESS_EXIT,
		       COOKIE + i);
	}
	end(root[1] + 1);
	end(root[2]);
	must(dup2(out, STDOUT_FILENO));
	execl("/proc/self/exe", "fdinfo_test", REBUILD, NULL);
	die("exec: %s", km_error(errno));
}

/* All that the descriptor shows of a tree; (tgid, start_ns) must be exact. */
static void rebuild_tree(int fd, const struct entry *tree)
{
	struct km_log log = {};

	km_list(fd, tree->handle, 1, &log);
	check(tree->target == TREE && tree->events == KMONITOR_PROCESS_EXIT,
	      "target %u, events %#x", tree->target, tree->events);
	printf("tree %" PRIx64 " %" PRIu64 " %u\n", tree->cookie, tree->id,
	       tree->members);
	for (size_t i = 0; i < log.nr; i++) {
		const struct kmonitor_event *task = &log.event[i];
		struct kmonitor_get_pidfd process = {
			.tgid = task->tgid,
			.start_ns = task->start_ns,
		};

		if (task->type != KMONITOR_TASK)
			continue;
		must(ioctl(fd, KMONITOR_IOC_GET_PIDFD, &process));
		printf("process %" PRIx64 " %d\n", (uint64_t)task->cookie,
		       task->tgid);
	}
}

static void end_tree(int fd, const struct entry *tree)
{
	struct kmonitor_kill arg = {
		.handle = tree->handle,
		.signo = SIGKILL,
	};
	struct km_log log = {};

	must(ioctl(fd, KMONITOR_IOC_KILL, &arg));
	check(arg.signalled == tree->members && !arg.refused,
	      "expected %u signalled, got %u, and %u refused", tree->members,
	      arg.signalled, arg.refused);
	km_read_until(fd, &log, KMONITOR_EMPTY, tree->id);
	check(log.event[log.nr - 1].empty.handle == tree->handle,
	      "EMPTY of another handle");
}

/* The new program: it has the descriptor, and nothing else. */
static int rebuild(int fd)
{
	struct fdinfo info = read_fdinfo(fd);

	for (uint32_t i = 0; i < info.nr; i++)
		rebuild_tree(fd, &info.entry[i]);
	for (uint32_t i = 0; i < info.nr; i++)
		end_tree(fd, &info.entry[i]);
	info = read_fdinfo(fd);
	check(!info.nr, "expected no entry, got %u", info.nr);
	return 0;
}

/* Takes what is so off the list; false if it was not there. */
static bool take_born(struct truth *truth, pid_t pid, uint64_t cookie)
{
	for (unsigned int i = 0; i < truth->nr; i++) {
		struct born *born = &truth->born[i];

		if (born->pid != pid || born->cookie != cookie || born->ended)
			continue;
		born->ended = true;
		return true;
	}
	return false;
}

static uint32_t count_living(const struct truth *truth, uint64_t cookie)
{
	uint32_t nr = 0;

	for (unsigned int i = 0; i < truth->nr; i++)
		nr += truth->born[i].cookie == cookie && !truth->born[i].ended;
	return nr;
}

static pid_t root_of(const struct truth *truth, uint64_t cookie)
{
	unsigned int i = 0;

	while (i < truth->nr && truth->born[i].cookie != cookie)
		i++;
	return truth->born[i].pid;
}

TEST(a_supervisor_rebuilds_its_state)
{
	struct truth *truth =
		must(mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	unsigned int trees = 0, processes = 0;
	int out = must(memfd_create("state", 0));
	uint32_t members;
	uint64_t cookie;
	char line[128];
	FILE *file;
	int pid;

	pid = km_fork();
	if (!pid)
		supervise(truth, out);
	EXPECT_EQ(0, km_join(pid));
	must(lseek(out, 0, SEEK_SET));
	file = fdopen(out, "r");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "process %" SCNx64 " %d\n", &cookie, &pid) ==
		    2) {
			EXPECT_TRUE(take_born(truth, pid, cookie));
			processes++;
			continue;
		}
		ASSERT_EQ(3, sscanf(line, "tree %" SCNx64 " %d %u\n", &cookie,
				    &pid, &members));
		EXPECT_EQ(root_of(truth, cookie), pid);
		EXPECT_EQ(count_living(truth, cookie), members);
		trees++;
	}
	fclose(file);
	EXPECT_EQ(TREES, trees);
	/* Three roots and six children, of which one each has ended. */
	EXPECT_EQ(9, truth->nr);
	EXPECT_EQ(7, processes);
	for (unsigned int i = 0; i < TREES; i++)
		EXPECT_EQ(0, count_living(truth, COOKIE + i));
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], REBUILD))
		return rebuild(SUPERVISED);
	return test_harness_run(argc, argv);
}
