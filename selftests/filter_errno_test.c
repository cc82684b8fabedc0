// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every errno of FILTER_ADD, FILTER_DEL and FILTER_CLEAR, from tables.  A call
 * that fails leaves the filter as it was.
 */

#include "kselftest_harness.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "common.h"

#define SYSCTL "/proc/sys/kernel/kmonitor/"

/* The meaning of an id in the table. */
enum special_id {
	LITERAL,
	DEAD,
	ZOMBIE,
	THREAD,
	LEFT_LEADER,
};

/* Processes and threads in all states that an id can name. */
struct cast {
	pid_t dead;
	pid_t zombie;
	pid_t thread;
	pid_t left_leader;
	int leave[2];
};

static void *be_a_thread(void *arg)
{
	struct cast *cast = arg;

	cast->thread = gettid();
	km_gate_open(cast->leave);
	pause();
	return NULL;
}

static void *outlive_the_leader(void *arg)
{
	(void)arg;
	pause();
	return NULL;
}

static void raise_cast(struct cast *cast)
{
	pthread_t thread;
	siginfo_t info;

	cast->dead = km_fork();
	if (!cast->dead)
		_exit(0);
	km_join(cast->dead);

	cast->zombie = km_fork();
	if (!cast->zombie)
		_exit(0);
	must(waitid(P_PID, cast->zombie, &info, WEXITED | WNOWAIT));

	km_gate(cast->leave);
	check(!pthread_create(&thread, NULL, be_a_thread, cast), "no thread");
	km_gate_wait(cast->leave);

	cast->left_leader = km_fork();
	if (!cast->left_leader) {
		check(!pthread_create(&thread, NULL, outlive_the_leader, NULL),
		      "no thread");
		pthread_exit(NULL);
	}
	while (km_state(cast->left_leader) != 'Z')
		sched_yield();
}

static void dismiss_cast(struct cast *cast)
{
	must(kill(cast->left_leader, SIGKILL));
	km_join(cast->left_leader);
	km_join(cast->zombie);
}

static uint64_t id_of(const struct cast *cast, enum special_id id,
		      uint64_t literal)
{
	switch (id) {
	case DEAD:
		return cast->dead;
	case ZOMBIE:
		return cast->zombie;
	case THREAD:
		return cast->thread;
	case LEFT_LEADER:
		return cast->left_leader;
	default:
		return literal;
	}
}

FIXTURE(monitor)
{
	struct cast cast;
	int fd;
	uint64_t handle;
};

/* One entry that wants nothing: records can only come from a half-made one. */
FIXTURE_SETUP(monitor)
{
	raise_cast(&self->cast);
	self->fd = km_open(64);
	self->handle = km_add(self->fd, KMONITOR_TARGET_PROCESS, 0, 0, 1);
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
	dismiss_cast(&self->cast);
}

/* Whether the filter is still the one of the setup. */
static bool unchanged(int fd)
{
	struct kmonitor_event event;
	pid_t child = km_fork();

	if (!child)
		_exit(0);
	km_join(child);
	return km_stats(fd).filters == 1 && km_read(fd, &event, 1) == -EAGAIN;
}

struct add_case {
	const char *what;
	uint32_t target;
	enum special_id special;
	uint64_t id;
	uint32_t events;
	int expected;
};

#define THREAD_TARGET KMONITOR_TARGET_THREAD
#define PROCESS KMONITOR_TARGET_PROCESS
#define TREE KMONITOR_TARGET_TREE
#define CGROUP KMONITOR_TARGET_CGROUP
#define UID KMONITOR_TARGET_UID
#define ALL KMONITOR_TARGET_ALL

static const struct add_case add_cases[] = {
	{ "target 6", 6, LITERAL, 0, KM_LIFE, -EINVAL },
	{ "target 31", 31, LITERAL, 0, KM_LIFE, -EINVAL },
	{ "target 32", 32, LITERAL, 0, KM_LIFE, -EINVAL },
	{ "target 2^32 - 1", UINT_MAX, LITERAL, 0, KM_LIFE, -EINVAL },
	{ "CGROUP, id 0", CGROUP, LITERAL, 0, KM_LIFE, -ESTALE },
	{ "no such cgroup", CGROUP, LITERAL, 1ULL << 60, KM_LIFE, -ESTALE },
	{ "CGROUP, id -1", CGROUP, LITERAL, -1, KM_LIFE, -ESTALE },
	{ "UID, large id", UID, LITERAL, 1ULL << 32, KM_LIFE, -EINVAL },
	{ "UID, no user", UID, LITERAL, UINT_MAX, KM_LIFE, -EINVAL },
	{ "ALL with an id", ALL, LITERAL, 1, KM_LIFE, -EINVAL },
	{ "ALL, large id", ALL, LITERAL, 1ULL << 32, KM_LIFE, -EINVAL },
	{ "THREAD, large id", THREAD_TARGET, LITERAL, 1U << 31, 1, -EINVAL },
	{ "PROCESS, large id", PROCESS, LITERAL, 1U << 31, 1, -EINVAL },
	{ "TREE, large id", TREE, LITERAL, 1ULL << 32, 1, -EINVAL },
	{ "TREE, id -1", TREE, LITERAL, -1, 1, -EINVAL },
	{ "no such thread", THREAD_TARGET, LITERAL, INT_MAX, 4, -ESRCH },
	{ "no such process", PROCESS, LITERAL, INT_MAX, 64, -ESRCH },
	{ "no such tree", TREE, LITERAL, INT_MAX, 64, -ESRCH },
	{ "THREAD, dead", THREAD_TARGET, DEAD, 0, KM_LIFE, -ESRCH },
	{ "PROCESS, dead", PROCESS, DEAD, 0, KM_LIFE, -ESRCH },
	{ "TREE, dead", TREE, DEAD, 0, KM_LIFE, -ESRCH },
	{ "THREAD, zombie", THREAD_TARGET, ZOMBIE, 0, KM_LIFE, -ESRCH },
	{ "PROCESS, zombie", PROCESS, ZOMBIE, 0, KM_LIFE, -ESRCH },
	{ "TREE, zombie", TREE, ZOMBIE, 0, KM_LIFE, -ESRCH },
	{ "PROCESS by thread", PROCESS, THREAD, 0, KM_LIFE, -ESRCH },
	{ "TREE by thread", TREE, THREAD, 0, KM_LIFE, -ESRCH },
	{ "left leader's thread", THREAD_TARGET, LEFT_LEADER, 0, 4, -ESRCH },
};

TEST_F(monitor, add_answers_each_target_as_documented)
{
	struct kmonitor_filter filter;
	const struct add_case *c;
	int ret;

	for (size_t i = 0; i < sizeof(add_cases) / sizeof(*c); i++) {
		c = &add_cases[i];
		filter = (struct kmonitor_filter){
			.target = c->target,
			.id = id_of(&self->cast, c->special, c->id),
			.events = c->events,
		};
		ret = km_ioctl(self->fd, KMONITOR_IOC_FILTER_ADD, &filter);
		EXPECT_EQ(c->expected, ret)
		{
			TH_LOG("%s: %s", c->what, km_error(ret));
		}
		EXPECT_EQ(0, filter.handle);
		EXPECT_TRUE(unchanged(self->fd))
		{
			TH_LOG("%s: the filter has changed", c->what);
		}
	}
}

TEST_F(monitor, add_takes_a_thread_and_a_process_whose_leader_left)
{
	km_add(self->fd, THREAD_TARGET, self->cast.thread, 0, 0);
	km_add(self->fd, PROCESS, self->cast.left_leader, 0, 0);
	km_add(self->fd, TREE, self->cast.left_leader, 0, 0);
	EXPECT_EQ(4, km_stats(self->fd).filters);
}

/* Each bit of a word of the filter. */
static void expect_edit_refuses_bits(struct __test_metadata *_metadata, int fd,
				     unsigned int cmd, int word,
				     uint32_t einval, uint32_t eopnotsupp)
{
	struct kmonitor_filter filter;
	uint32_t words[12];
	int expected;

	for (int bit = 0; bit < 32; bit++) {
		if (!((einval | eopnotsupp) & 1U << bit))
			continue;
		expected = einval & 1U << bit ? -EINVAL : -EOPNOTSUPP;
		memset(words, 0, sizeof(words));
		words[0] = KMONITOR_TARGET_TREE;
		words[word] = 1U << bit;
		memcpy(&filter, words, sizeof(filter));
		EXPECT_EQ(expected, km_ioctl(fd, cmd, &filter))
		{
			TH_LOG("ioctl nr %u word %d bit %d", _IOC_NR(cmd), word,
			       bit);
		}
	}
	EXPECT_EQ(1, km_stats(fd).filters);
}

/* Words: 1 flags, 4 events, 5 reserved, 8 and 9 handle, 10 and 11 reserved2. */
TEST_F(monitor, add_refuses_each_unknown_bit)
{
	const unsigned int add = KMONITOR_IOC_FILTER_ADD;
	const uint32_t known = 2 * KMONITOR_EXEC_FAILED - 1;

	expect_edit_refuses_bits(_metadata, self->fd, add, 1, ~0xfU, 0);
	expect_edit_refuses_bits(_metadata, self->fd, add, 4, ~known, 0);
	expect_edit_refuses_bits(_metadata, self->fd, add, 5, ~0U, 0);
	for (int word = 8; word < 12; word++)
		expect_edit_refuses_bits(_metadata, self->fd, add, word, ~0U,
					 0);
	EXPECT_TRUE(unchanged(self->fd));
}

TEST_F(monitor, only_a_tree_is_killed_on_close)
{
	static const uint32_t targets[] = { THREAD_TARGET, PROCESS, ALL };
	struct kmonitor_filter filter = {
		.flags = KMONITOR_FILTER_KILL_ON_CLOSE,
	};
	int ret;

	for (size_t i = 0; i < 3; i++) {
		filter.target = targets[i];
		ret = km_ioctl(self->fd, KMONITOR_IOC_FILTER_ADD, &filter);
		EXPECT_EQ(-EINVAL, ret);
	}
	EXPECT_TRUE(unchanged(self->fd));
}

TEST_F(monitor, del_refuses_each_unknown_bit)
{
	const unsigned int del = KMONITOR_IOC_FILTER_DEL;

	expect_edit_refuses_bits(_metadata, self->fd, del, 1, ~0xfU, 0);
	expect_edit_refuses_bits(_metadata, self->fd, del, 5, ~0U, 0);
	for (int word = 10; word < 12; word++)
		expect_edit_refuses_bits(_metadata, self->fd, del, word, ~0U,
					 0);
}

struct size_case {
	size_t size;
	size_t nonzero_at;
	int expected;
};

static const struct size_case size_cases[] = {
	{ 0, 0, -EINVAL },
	{ 1, 0, -EINVAL },
	{ 47, 0, -EINVAL },
	{ 48, 0, 0 },
	{ 49, 0, 0 },
	{ 49, 48, -E2BIG },
	{ KM_PAGE, 0, 0 },
	{ KM_PAGE, KM_PAGE - 1, -E2BIG },
	{ KM_PAGE, 48, -E2BIG },
	{ KM_PAGE + 1, 0, -E2BIG },
	{ _IOC_SIZEMASK, 0, -E2BIG },
};

TEST_F(monitor, add_and_del_answer_each_size_as_documented)
{
	static char buffer[_IOC_SIZEMASK + 1];
	struct kmonitor_filter *filter = (struct kmonitor_filter *)buffer;
	const struct size_case *c;
	int ret;

	for (size_t i = 0; i < sizeof(size_cases) / sizeof(*c); i++) {
		c = &size_cases[i];
		memset(buffer, 0, sizeof(buffer));
		filter->target = TREE;
		if (c->nonzero_at)
			buffer[c->nonzero_at] = 1;
		ret = km_ioctl(self->fd,
			       _IOC(_IOC_READ | _IOC_WRITE, KMONITOR_IOC_MAGIC,
				    1, c->size),
			       buffer);
		EXPECT_EQ(c->expected, ret)
		{
			TH_LOG("ADD size %zu: %s", c->size, km_error(ret));
		}
		EXPECT_EQ(ret ? 1 : 2, km_stats(self->fd).filters);

		ret = km_ioctl(self->fd,
			       _IOC(_IOC_WRITE, KMONITOR_IOC_MAGIC, 2, c->size),
			       buffer);
		EXPECT_EQ(c->expected, ret)
		{
			TH_LOG("DEL size %zu: %s", c->size, km_error(ret));
		}
		EXPECT_EQ(1, km_stats(self->fd).filters);
	}
}

TEST_F(monitor, add_and_del_refuse_bad_pointers)
{
	static const unsigned int cmds[] = { KMONITOR_IOC_FILTER_ADD,
					     KMONITOR_IOC_FILTER_DEL };
	char *page = km_guarded_page();

	for (size_t i = 0; i < 2; i++) {
		EXPECT_EQ(-EFAULT, km_ioctl(self->fd, cmds[i], NULL));
		EXPECT_EQ(-EFAULT, km_ioctl(self->fd, cmds[i], (void *)-1L));
		EXPECT_EQ(-EFAULT, km_ioctl(self->fd, cmds[i], page + KM_PAGE));
		EXPECT_EQ(-EFAULT,
			  km_ioctl(self->fd, cmds[i], page + KM_PAGE - 47));
	}
	EXPECT_TRUE(unchanged(self->fd));
}

/* The handle can't be written back. */
TEST_F(monitor, add_from_read_only_memory_changes_nothing)
{
	char *page = km_guarded_page();
	struct kmonitor_filter *filter = (struct kmonitor_filter *)page;
	struct kmonitor_event event;
	pid_t child;

	filter->target = TREE;
	filter->events = KM_LIFE;
	must(mprotect(page, KM_PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, km_ioctl(self->fd, KMONITOR_IOC_FILTER_ADD, filter));
	EXPECT_TRUE(unchanged(self->fd));

	/* An existing entry keeps its cookie and its events. */
	km_add(self->fd, PROCESS, 0, KMONITOR_PROCESS_FORK, 1);
	must(mprotect(page, KM_PAGE, PROT_READ | PROT_WRITE));
	filter->target = PROCESS;
	filter->cookie = 2;
	must(mprotect(page, KM_PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, km_ioctl(self->fd, KMONITOR_IOC_FILTER_ADD, filter));
	child = km_fork();
	if (!child)
		_exit(0);
	km_join(child);
	ASSERT_EQ(1, km_read(self->fd, &event, 1));
	EXPECT_EQ(1, event.cookie);
	EXPECT_EQ(1, km_stats(self->fd).matched);
}

TEST_F(monitor, add_obeys_the_limit_of_filters)
{
	long old = km_sysctl(SYSCTL "max_user_filters", 3);
	uint64_t handle;
	int ret[3];

	ret[0] = km_try_add(self->fd, TREE, 0, 0, 0, &handle);
	ret[1] = km_try_add(self->fd, ALL, 0, 0, 0, &handle);
	ret[2] = km_try_add(self->fd, THREAD_TARGET, 0, KM_LIFE, 0, &handle);
	km_sysctl(SYSCTL "max_user_filters", old);
	EXPECT_EQ(0, ret[0]);
	EXPECT_EQ(0, ret[1]);
	EXPECT_EQ(-ENOSPC, ret[2]);
	EXPECT_EQ(3, km_stats(self->fd).filters);
}

/* Opens a descriptor in a new pid namespace, whose init it leaves running. */
static pid_t foreign_namespace(int *fd, int gate[2])
{
	int ready[2];
	pid_t init;

	km_gate(ready);
	init = km_raw_clone(CLONE_NEWPID | CLONE_FILES | SIGCHLD);
	if (!init) {
		*fd = km_open(64);
		must(write(ready[1], fd, sizeof(*fd)));
		km_gate_wait(gate);
		_exit(0);
	}
	check(must(read(ready[0], fd, sizeof(*fd))) == sizeof(*fd),
	      "no descriptor");
	return init;
}

TEST_F(monitor, ids_of_a_foreign_pid_namespace_are_not_found)
{
	static const uint32_t targets[] = { THREAD_TARGET, PROCESS, TREE };
	uint64_t handle;
	int gate[2];
	pid_t init;
	int fd;

	km_gate(gate);
	init = foreign_namespace(&fd, gate);
	for (size_t i = 0; i < 3; i++) {
		/* The caller is not visible there, under no number. */
		EXPECT_EQ(-ESRCH,
			  km_try_add(fd, targets[i], 0, KM_LIFE, 0, &handle));
		EXPECT_EQ(-ESRCH, km_try_add(fd, targets[i], getpid(), KM_LIFE,
					     0, &handle));
		EXPECT_EQ(-ESRCH, km_try_add(fd, targets[i], init, KM_LIFE, 0,
					     &handle));
		EXPECT_EQ(0, km_stats(fd).filters);
		/* 1 is the child, not the machine's init. */
		EXPECT_EQ(0, km_try_add(fd, targets[i], 1, 0, 0, &handle));
		EXPECT_EQ(0, km_del(fd, handle));
	}
	km_gate_open(gate);
	km_join(init);
	close(fd);
}

/* FILTER_DEL, FILTER_CLEAR */

TEST_F(monitor, del_finds_only_what_is_there)
{
	struct kmonitor_filter filter = { .target = TREE, .events = KM_LIFE };
	const unsigned int del = KMONITOR_IOC_FILTER_DEL;
	uint64_t handle;

	EXPECT_EQ(-ENOENT, km_del(self->fd, self->handle + 1));
	EXPECT_EQ(-ENOENT, km_del(self->fd, UINT64_MAX));
	EXPECT_EQ(-ENOENT, km_ioctl(self->fd, del, &filter));
	filter.id = self->cast.dead;
	EXPECT_EQ(-ENOENT, km_ioctl(self->fd, del, &filter));
	filter.id = self->cast.zombie;
	EXPECT_EQ(-ENOENT, km_ioctl(self->fd, del, &filter));
	filter.id = INT_MAX;
	EXPECT_EQ(-ENOENT, km_ioctl(self->fd, del, &filter));
	for (uint32_t target = CGROUP; target <= ALL; target++) {
		filter.target = target;
		filter.id = 0;
		EXPECT_EQ(-ENOENT, km_ioctl(self->fd, del, &filter));
	}

	handle = km_add(self->fd, TREE, 0, KM_LIFE, 0);
	filter.target = TREE;
	filter.events = 0;
	EXPECT_EQ(-EINVAL, km_ioctl(self->fd, del, &filter));
	EXPECT_EQ(2, km_stats(self->fd).filters);
	EXPECT_EQ(0, km_del(self->fd, handle));
	EXPECT_EQ(-ENOENT, km_del(self->fd, handle));
	EXPECT_TRUE(unchanged(self->fd));
}

TEST_F(monitor, handles_are_not_used_again)
{
	uint64_t handle, last = self->handle;

	for (int i = 0; i < 100; i++) {
		handle = km_add(self->fd, TREE, 0, 0, 0);
		ASSERT_LT(last, handle);
		ASSERT_EQ(0, km_del(self->fd, handle));
		last = handle;
	}
}

TEST_F(monitor, clear_takes_no_argument)
{
	const unsigned int clear = KMONITOR_IOC_FILTER_CLEAR;

	EXPECT_EQ(-EINVAL, km_ioctl(self->fd, clear, (void *)1L));
	EXPECT_TRUE(unchanged(self->fd));
	EXPECT_EQ(0, km_ioctl(self->fd, clear, NULL));
	EXPECT_EQ(0, km_stats(self->fd).filters);
	EXPECT_EQ(0, km_ioctl(self->fd, clear, NULL));
}

TEST_HARNESS_MAIN
