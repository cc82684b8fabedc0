// SPDX-License-Identifier: GPL-2.0-only
/* Promise 10: what a user may have, and who may have any. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "common.h"

#define SYSCTL "/proc/sys/kernel/kmonitor/"
#define NOBODY 65534

/* Runs a part of a test as nobody; gives the error that it returns. */
static int as_nobody(int (*part)(int arg), int arg)
{
	pid_t child = km_fork();
	int status;

	if (!child) {
		km_become(NOBODY, NOBODY);
		_exit(-part(arg));
	}
	status = km_join(child);
	check(WIFEXITED(status), "expected an exit, got status %#x", status);
	return -WEXITSTATUS(status);
}

static int try_init(int unshare_flags)
{
	int fd;

	must(unshare(unshare_flags));
	fd = km_init(NULL, 0, 0);
	return fd < 0 ? fd : 0;
}

static int try_new(int node)
{
	struct kmonitor_new arg = {};
	int fd = km_ioctl(node, KMONITOR_IOC_NEW, &arg);

	return fd < 0 ? fd : 0;
}

TEST(without_unprivileged_the_system_call_is_root_s)
{
	long old = km_sysctl(SYSCTL "unprivileged", 0);
	int node = must(open("/dev/kmonitor", O_RDWR | O_CLOEXEC));
	int fd = km_init(NULL, 0, 0);

	EXPECT_EQ(1, old);
	EXPECT_LE(0, fd);
	EXPECT_EQ(-EPERM, as_nobody(try_init, 0));
	/* The capability counts in the initial user namespace only. */
	EXPECT_EQ(-EPERM, as_nobody(try_init, CLONE_NEWUSER));
	/* For the device, the node's permissions decide. */
	EXPECT_EQ(0, as_nobody(try_new, node));
	km_sysctl(SYSCTL "unprivileged", 1);
	EXPECT_EQ(0, as_nobody(try_init, 0));
	EXPECT_EQ(-EINVAL, km_write_file(SYSCTL "unprivileged", "2"));
	EXPECT_EQ(-EINVAL, km_write_file(SYSCTL "unprivileged", "-1"));
	close(fd);
	close(node);
}

static int open_until_refused(int max)
{
	for (int i = 0; i < max; i++) {
		int fd = km_init(NULL, 0, 0);

		if (fd < 0)
			return i * 32 - fd;
	}
	return max * 32;
}

/* The number of descriptors got, and the error of the next one. */
static int got(int status)
{
	return -status / 32;
}

static int error_of(int status)
{
	return -(-status % 32);
}

static int open_in_namespace(int max)
{
	must(unshare(CLONE_NEWUSER));
	return -open_until_refused(max);
}

/* A user can't get more by making user namespaces. */
TEST(no_limit_can_be_set_beyond_its_range)
{
	static const char *const values[][2] = {
		{ SYSCTL "max_ring_records", "1" },
		{ SYSCTL "max_ring_records", "1048577" },
		{ SYSCTL "max_ring_records", "-1" },
		{ SYSCTL "max_user_instances", "-1" },
		{ SYSCTL "max_user_instances", "2147483648" },
		{ SYSCTL "max_user_filters", "-1" },
		{ SYSCTL "max_user_filters", "2147483648" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		EXPECT_EQ(-EINVAL, km_write_file(values[i][0], values[i][1]))
		{
			TH_LOG("%s: %s", values[i][0], values[i][1]);
		}
	}
}

TEST(the_limit_of_instances_holds_through_user_namespaces)
{
	long old = km_sysctl(SYSCTL "max_user_instances", 3);
	int status = as_nobody(open_in_namespace, 5);

	km_sysctl(SYSCTL "max_user_instances", old);
	EXPECT_EQ(3, got(status));
	EXPECT_EQ(-EMFILE, error_of(status));
}

/* Limits what its rings may lock to so many of the default size. */
static void limit_rings(int nr)
{
	struct kmonitor_info info;
	struct rlimit limit;
	int fd = km_open(0);

	check(!km_ioctl(fd, KMONITOR_IOC_INFO, &info), "INFO");
	close(fd);
	limit.rlim_cur = nr * info.mmap_size;
	limit.rlim_max = limit.rlim_cur;
	must(setrlimit(RLIMIT_MEMLOCK, &limit));
}

static int open_locked(int max)
{
	limit_rings(2);
	return -open_until_refused(max);
}

static int open_locked_in_namespace(int max)
{
	limit_rings(2);
	return open_in_namespace(max);
}

static int open_largest(int max)
{
	const struct rlimit limit = { 8 << 20, 8 << 20 };
	struct kmonitor_attr attr = { .ring_records = 1 << 20 };
	int fd = 0;

	must(setrlimit(RLIMIT_MEMLOCK, &limit));
	while (fd >= 0 && max--)
		fd = km_init(&attr, sizeof(attr), 0);
	return fd < 0 ? fd : 0;
}

static int open_and_close(int max)
{
	int fd = 0;

	limit_rings(2);
	while (fd >= 0 && max--) {
		fd = km_init(NULL, 0, 0);
		close(fd);
	}
	return fd < 0 ? fd : 0;
}

TEST(the_rings_of_a_user_are_locked_memory)
{
	int status = as_nobody(open_locked, 5);

	EXPECT_EQ(2, got(status));
	EXPECT_EQ(-ENOMEM, error_of(status));
	status = as_nobody(open_locked_in_namespace, 5);
	EXPECT_EQ(2, got(status));
	EXPECT_EQ(-ENOMEM, error_of(status));
	EXPECT_EQ(-ENOMEM, as_nobody(open_largest, 1));
	/* A closed ring counts until a grace period has passed, and is waited for. */
	EXPECT_EQ(0, as_nobody(open_and_close, 50));
}

TEST(who_may_lock_memory_has_no_limit_of_it)
{
	pid_t child = km_fork();

	if (!child) {
		limit_rings(0);
		_exit(open_until_refused(3) != 3 * 32);
	}
	EXPECT_EQ(0, km_join(child));
}

static int open_below_own_limit(int max)
{
	must(unshare(CLONE_NEWUSER));
	km_sysctl("/proc/sys/user/max_kmonitor_instances", 2);
	return -open_until_refused(max);
}

TEST(a_user_namespace_has_a_limit_of_instances_of_its_own)
{
	int status = as_nobody(open_below_own_limit, 5);

	EXPECT_EQ(2, got(status));
	EXPECT_EQ(-EMFILE, error_of(status));
}

static int add_below_own_limit(int max)
{
	static const uint32_t targets[] = { KMONITOR_TARGET_THREAD,
					    KMONITOR_TARGET_PROCESS,
					    KMONITOR_TARGET_TREE };
	uint64_t handle;
	int fd, ret;

	must(unshare(CLONE_NEWUSER));
	km_sysctl("/proc/sys/user/max_kmonitor_filters", 2);
	fd = km_open(2);
	for (int i = 0; i < max; i++) {
		ret = km_try_add(fd, targets[i], 0, KM_LIFE, 0, &handle);
		if (ret)
			return -(i * 32 - ret);
	}
	return -max * 32;
}

TEST(a_user_namespace_has_a_limit_of_filters_of_its_own)
{
	int status = as_nobody(add_below_own_limit, 3);

	EXPECT_EQ(2, got(status));
	EXPECT_EQ(-ENOSPC, error_of(status));
}

/* Entries count where they are, not where the descriptor was made. */
TEST(a_closed_descriptor_gives_its_filters_back)
{
	long old = km_sysctl(SYSCTL "max_user_filters", 8);
	int failed = 0;

	for (int i = 0; i < 64 && !failed; i++) {
		int fd = km_open(2);
		uint64_t handle;

		failed = km_try_add(fd, KMONITOR_TARGET_TREE, 0, 0, 0, &handle);
		close(fd);
	}
	km_sysctl(SYSCTL "max_user_filters", old);
	EXPECT_EQ(0, failed);
}

TEST_HARNESS_MAIN
