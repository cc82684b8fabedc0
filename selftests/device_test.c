// SPDX-License-Identifier: GPL-2.0-only
/* /dev/kmonitor: the same descriptors, for whom the node lets in. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common.h"

#define NODE "/dev/kmonitor"
#define NOBODY 65534

#define NEW(size) _IOC(_IOC_WRITE, KMONITOR_IOC_MAGIC, 9, size)

FIXTURE(device)
{
	int node;
};

FIXTURE_SETUP(device)
{
	self->node = must(open(NODE, O_RDWR | O_CLOEXEC));
}

FIXTURE_TEARDOWN(device)
{
	close(self->node);
}

static int make(int node, const void *attr, uint32_t size, uint32_t flags)
{
	struct kmonitor_new arg = {
		.attr = (uintptr_t)attr,
		.size = size,
		.flags = flags,
	};

	return km_ioctl(node, KMONITOR_IOC_NEW, &arg);
}

/* The operations that nobody may do with a descriptor of the node, and those that work. */
static void use_as_nobody(int node)
{
	struct km_log log = {};
	uint64_t handle;
	pid_t child;
	int fd;

	fd = make(node, NULL, 0, KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);
	check(fd >= 0, "NEW: %s", km_error(fd));
	check(km_try_add(fd, KMONITOR_TARGET_ALL, 0, KM_LIFE, 0, &handle) ==
		      -EPERM,
	      "expected ALL to be refused");
	check(km_try_add(fd, KMONITOR_TARGET_TREE, 1, KM_LIFE, 0, &handle) ==
		      -EPERM,
	      "expected init to be refused");
	km_add(fd, KMONITOR_TARGET_TREE, 0, KM_LIFE, 0);
	child = km_fork();
	if (!child)
		_exit(0);
	km_join(child);
	km_read_until(fd, &log, KMONITOR_PROCESS_EXIT, child);
	close(fd);
}

TEST(the_node_is_root_s_own)
{
	struct stat info;
	pid_t child;

	must(stat(NODE, &info));
	EXPECT_EQ(S_IFCHR | 0600, info.st_mode);
	EXPECT_EQ(0, info.st_uid);
	EXPECT_EQ(0, info.st_gid);
	child = km_fork();
	if (!child) {
		km_become(NOBODY, NOBODY);
		_exit(open(NODE, O_RDONLY) < 0 ? errno : 0);
	}
	EXPECT_EQ(EACCES << 8, km_join(child));
}

/* The permissions of the node alone decide who may open it. */
TEST(who_is_let_in_by_the_mode_needs_no_more)
{
	pid_t child;
	int node;

	must(chmod(NODE, 0666));
	child = km_fork();
	if (!child) {
		km_become(NOBODY, NOBODY);
		node = open(NODE, O_RDWR | O_CLOEXEC);
		check(node >= 0, "%s: %s", NODE, km_error(errno));
		use_as_nobody(node);
		_exit(0);
	}
	EXPECT_EQ(0, km_join(child));
	must(chmod(NODE, 0600));
}

TEST_F(device, new_gives_the_same_kind_of_descriptor)
{
	struct kmonitor_attr attr = { .ring_records = 3 };
	struct kmonitor_info info;
	struct km_log log = {};
	int fd = make(self->node, &attr, sizeof(attr),
		      KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);
	pid_t child;

	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, must(fcntl(fd, F_GETFD)));
	EXPECT_EQ(O_RDWR | O_NONBLOCK,
		  must(fcntl(fd, F_GETFL)) & (O_ACCMODE | O_NONBLOCK));
	ASSERT_EQ(0, km_ioctl(fd, KMONITOR_IOC_INFO, &info));
	EXPECT_EQ(4, info.ring_records);
	km_add(fd, KMONITOR_TARGET_PROCESS, 0, KM_LIFE, 7);
	child = km_fork();
	if (!child)
		_exit(0);
	km_join(child);
	km_read_until(fd, &log, KMONITOR_PROCESS_FORK, getpid());
	EXPECT_NE(NULL, km_find_fork(&log, child));
	close(fd);

	fd = make(self->node, NULL, 0, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, must(fcntl(fd, F_GETFD)));
	EXPECT_EQ(0, must(fcntl(fd, F_GETFL)) & O_NONBLOCK);
	close(fd);
}

TEST_F(device, new_answers_as_the_system_call)
{
	char *page = km_guarded_page();
	const struct {
		const void *attr;
		uint32_t size;
		uint32_t flags;
		int expected;
	} cases[] = {
		{ page, 32, 0, 0 },
		{ page, 40, 0, 0 },
		{ page, 0, 0, -EINVAL },
		{ page, 31, 0, -EINVAL },
		{ page, KM_PAGE + 1, 0, -E2BIG },
		{ page, 32, 4, -EINVAL },
		{ NULL, 32, 0, -EFAULT },
		{ page + KM_PAGE - 31, 32, 0, -EFAULT },
	};
	int ret, same, error;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ret = make(self->node, cases[i].attr, cases[i].size,
			   cases[i].flags);
		same = km_init(cases[i].attr, cases[i].size, cases[i].flags);
		error = ret < 0 ? ret : 0;
		EXPECT_EQ(cases[i].expected, error)
		{
			TH_LOG("case %zu", i);
		}
		error = same < 0 ? same : 0;
		EXPECT_EQ(cases[i].expected, error);
		close(ret);
		close(same);
	}
}

TEST_F(device, new_is_extended_by_its_size)
{
	char *page = km_guarded_page();
	int fd;

	EXPECT_EQ(-EINVAL, km_ioctl(self->node, NEW(0), page));
	EXPECT_EQ(-EINVAL, km_ioctl(self->node, NEW(15), page));
	EXPECT_EQ(-E2BIG, km_ioctl(self->node, NEW(KM_PAGE + 1), page));
	fd = km_ioctl(self->node, NEW(24), page);
	EXPECT_LE(0, fd);
	close(fd);
	page[23] = 1;
	EXPECT_EQ(-E2BIG, km_ioctl(self->node, NEW(24), page));
	fd = km_ioctl(self->node, NEW(16), page);
	EXPECT_LE(0, fd);
	close(fd);
	EXPECT_EQ(-EFAULT, km_ioctl(self->node, NEW(16), NULL));
	EXPECT_EQ(-EFAULT, km_ioctl(self->node, NEW(16), page + KM_PAGE - 15));
}

TEST_F(device, other_ioctls_are_refused)
{
	char arg[64] = {};

	for (unsigned int nr = 0; nr < 256; nr++) {
		if (nr == 9)
			continue;
		EXPECT_EQ(-ENOTTY, km_ioctl(self->node,
					    _IOC(_IOC_READ | _IOC_WRITE,
						 KMONITOR_IOC_MAGIC, nr, 48),
					    arg))
		{
			TH_LOG("nr %u", nr);
		}
	}
	EXPECT_EQ(-ENOTTY,
		  km_ioctl(self->node, _IOC(_IOC_WRITE, 'x', 9, 16), arg));
}

/* Root has opened the node; it makes no difference to what nobody sees. */
TEST_F(device, the_caller_is_the_creator)
{
	pid_t child = km_fork();

	if (!child) {
		km_become(NOBODY, NOBODY);
		use_as_nobody(self->node);
		_exit(0);
	}
	EXPECT_EQ(0, km_join(child));
}

/* Back in the hands of root, it still is nobody's. */
TEST_F(device, the_descriptor_is_of_its_creator_whoever_holds_it)
{
	int sockets[2], fd;
	uint64_t handle;
	pid_t child;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	child = km_fork();
	if (!child) {
		km_become(NOBODY, NOBODY);
		km_send_fd(sockets[0], make(self->node, NULL, 0, 0));
		_exit(0);
	}
	fd = km_receive_fd(sockets[1]);
	EXPECT_EQ(0, km_join(child));
	EXPECT_EQ(-EPERM,
		  km_try_add(fd, KMONITOR_TARGET_ALL, 0, KM_LIFE, 0, &handle));
	EXPECT_EQ(-EPERM, km_try_add(fd, KMONITOR_TARGET_PROCESS, 0, KM_LIFE, 0,
				     &handle));
	close(fd);
	close(sockets[0]);
	close(sockets[1]);
}

TEST_HARNESS_MAIN
