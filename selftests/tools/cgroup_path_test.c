// SPDX-License-Identifier: GPL-2.0-only
/* The library's names of cgroups: their paths, units and containers. */

#include "kselftest_harness.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "../../lib/kmon.h"
#include "../common.h"

#define MOUNT "/sys/fs/cgroup"
#define BASE "/cgroup_path_test"
#define HEX_A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX_B "0123456789abcdeffedcba9876543210fedcba9876543210fedcba9876543210"

/* Paths and the table of patterns; needs no cgroup. */

static const struct {
	const char *path;
	enum kmon_container_kind kind;
	const char *id;
	/* Below the container's own cgroup. */
	const char *rest;
} known[] = {
	{ "/system.slice/docker-" HEX_A ".scope", KMON_CONTAINER_DOCKER, HEX_A,
	  "" },
	{ "/docker/" HEX_A, KMON_CONTAINER_DOCKER, HEX_A, "" },
	{ "/docker/" HEX_A "/", KMON_CONTAINER_DOCKER, HEX_A, "/" },
	{ "docker/" HEX_A "/init.scope", KMON_CONTAINER_DOCKER, HEX_A,
	  "/init.scope" },
	{ "/docker/" HEX_A "/docker/" HEX_B, KMON_CONTAINER_DOCKER, HEX_B, "" },
	{ "/kubepods.slice/kubepods-pod1.slice/cri-containerd-" HEX_A ".scope",
	  KMON_CONTAINER_CONTAINERD, HEX_A, "" },
	{ "/system.slice/kubepods-pod1.slice:cri-containerd:" HEX_A,
	  KMON_CONTAINER_CONTAINERD, HEX_A, "" },
	{ "/system.slice/nerdctl-" HEX_A ".scope", KMON_CONTAINER_CONTAINERD,
	  HEX_A, "" },
	{ "/machine.slice/libpod-" HEX_A ".scope/container",
	  KMON_CONTAINER_PODMAN, HEX_A, "/container" },
	{ "/libpod_parent/libpod-" HEX_A, KMON_CONTAINER_PODMAN, HEX_A, "" },
	{ "/kubepods.slice/crio-" HEX_A ".scope", KMON_CONTAINER_CRIO, HEX_A,
	  "" },
	{ "/kubepods/pod1/crio-" HEX_A, KMON_CONTAINER_CRIO, HEX_A, "" },
	{ "/kubepods/besteffort/pod1/" HEX_A, KMON_CONTAINER_KUBERNETES, HEX_A,
	  "" },
	{ "/kubepods.slice/kubepods-pod1.slice/" HEX_A,
	  KMON_CONTAINER_KUBERNETES, HEX_A, "" },
	{ "/system.slice/foo.service", KMON_CONTAINER_UNIT, "foo.service", "" },
	{ "/system.slice/foo.service/worker/1", KMON_CONTAINER_UNIT,
	  "foo.service", "/worker/1" },
	{ "/user.slice/user@1.service/app.slice/app@2.service",
	  KMON_CONTAINER_UNIT, "app@2.service", "" },
	{ "/system.slice/_cgroup.x.service", KMON_CONTAINER_UNIT,
	  "cgroup.x.service", "" },
	{ "/system.slice/\033[2J\xff.service", KMON_CONTAINER_UNIT,
	  "\033[2J\xff.service", "" },
	/* No containers, but still units. */
	{ "/a.slice/docker-" HEX_A "0.scope", KMON_CONTAINER_UNIT,
	  "docker-" HEX_A "0.scope", "" },
	{ "/machine.slice/libpod-conmon-" HEX_A ".scope", KMON_CONTAINER_UNIT,
	  "libpod-conmon-" HEX_A ".scope", "" },
	{ "/a.slice/x" HEX_A, KMON_CONTAINER_UNIT, "a.slice", "/x" HEX_A },
};

TEST(a_container_is_known_by_its_path)
{
	struct kmon_container container;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		const char *path = known[i].path;

		ASSERT_EQ(0, kmon_cgroup_container(path, &container))
		{
			TH_LOG("%s", path);
		}
		EXPECT_EQ(known[i].kind, container.kind);
		ASSERT_EQ(strlen(known[i].id), container.id_len)
		{
			TH_LOG("%s", path);
		}
		EXPECT_EQ(0,
			  memcmp(known[i].id, container.id, container.id_len));
		EXPECT_STREQ(known[i].rest, path + container.path_len);
	}
}

TEST(a_path_that_names_no_container_is_not_guessed_at)
{
	static const char *const paths[] = {
		"",
		"/",
		"///",
		"/" HEX_A,
		"/dockers/" HEX_A,
		"/docker/x/" HEX_A,
		"/docker/01234A6789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"/docker/0" HEX_A,
		"/docker-0123456789.scoped",
		"/not-kubepods/" HEX_A,
		"/" HEX_A "/kubepods",
		"/docker/0123456789abcdef0123456789abcdef",
		"/crio-conmon-" HEX_A,
		"/.service",
		"/_.service",
		"/foo.service.d",
	};
	struct kmon_container container;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		EXPECT_EQ(-ENOENT, kmon_cgroup_container(paths[i], &container))
		{
			TH_LOG("%s", paths[i]);
		}
	}
}

/* The tree. */

/* A user that may not open by handle has to walk. */
FIXTURE(cgroups)
{
	struct kmon_cgroups *cgroups;
};

FIXTURE_VARIANT(cgroups)
{
	bool privileged;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(cgroups, by_handle) {
	.privileged = true,
};

FIXTURE_VARIANT_ADD(cgroups, by_walk) {
	.privileged = false,
};
/* clang-format on */

static uint64_t inode(const char *path)
{
	struct stat info;

	must(stat(path, &info));
	return info.st_ino;
}

/* Makes a cgroup below BASE, and gives its id. */
static uint64_t make(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), MOUNT BASE "/%s", name);
	must(mkdir(path, 0755));
	return inode(path);
}

static void remove_cgroup(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), MOUNT BASE "/%s", name);
	must(rmdir(path));
}

static void remove_all(void)
{
	must(system("cd " MOUNT " && find ." BASE
		    " -depth -type d -exec rmdir {} \\; 2>/dev/null"));
}

FIXTURE_SETUP(cgroups)
{
	remove_all();
	must(mkdir(MOUNT BASE, 0777));
	must(chmod(MOUNT BASE, 0777));
	ASSERT_EQ(0, kmon_cgroups_new(NULL, &self->cgroups));
	if (!variant->privileged)
		km_become(1000, 1000);
}

FIXTURE_TEARDOWN(cgroups)
{
	kmon_cgroups_free(self->cgroups);
}

TEST_F(cgroups, an_id_has_its_path)
{
	uint64_t outer = make("outer"), inner = make("outer/inner");
	const char *path;

	ASSERT_EQ(0, kmon_cgroup_path(self->cgroups, outer, &path));
	EXPECT_STREQ(BASE "/outer", path);
	ASSERT_EQ(0, kmon_cgroup_path(self->cgroups, inner, &path));
	EXPECT_STREQ(BASE "/outer/inner", path);
	ASSERT_EQ(0, kmon_cgroup_path(self->cgroups, inode(MOUNT), &path));
	EXPECT_STREQ("/", path);
}

/* Also when another has its name. */
TEST_F(cgroups, a_path_outlives_its_cgroup)
{
	uint64_t old = make("short"), new;
	const char *path;

	ASSERT_EQ(0, kmon_cgroup_path(self->cgroups, old, &path));
	remove_cgroup("short");
	ASSERT_EQ(0, kmon_cgroup_path(self->cgroups, old, &path));
	EXPECT_STREQ(BASE "/short", path);
	new = make("short");
	EXPECT_NE(old, new);
	ASSERT_EQ(0, kmon_cgroup_path(self->cgroups, new, &path));
	EXPECT_STREQ(BASE "/short", path);
}

TEST_F(cgroups, what_is_not_there_has_no_path)
{
	uint64_t gone = make("gone"), file = inode(MOUNT BASE "/cgroup.procs");
	const char *path = NULL;

	remove_cgroup("gone");
	/* A cgroup of the same name is not it. */
	make("gone");
	EXPECT_EQ(-ENOENT, kmon_cgroup_path(self->cgroups, gone, &path));
	EXPECT_EQ(-ENOENT, kmon_cgroup_path(self->cgroups, gone, &path));
	EXPECT_EQ(-ENOENT, kmon_cgroup_path(self->cgroups, 0, &path));
	EXPECT_EQ(-ENOENT, kmon_cgroup_path(self->cgroups, file, &path));
	EXPECT_EQ(-ENOENT, kmon_cgroup_path(self->cgroups, UINT64_MAX, &path));
	/* The low half of an id alone, or another upper half. */
	EXPECT_EQ(-ENOENT,
		  kmon_cgroup_path(self->cgroups,
				   inode(MOUNT BASE) + (1ULL << 32), &path));
	EXPECT_EQ(NULL, path);
}

TEST_F(cgroups, a_hostile_name_is_given_as_it_is)
{
	static const char name[] = "\033[2J \xff\\x (deleted)";
	uint64_t id = make(name);
	const char *path;
	char expected[64];

	snprintf(expected, sizeof(expected), BASE "/%s", name);
	ASSERT_EQ(0, kmon_cgroup_path(self->cgroups, id, &path));
	EXPECT_STREQ(expected, path);
}

/* More cgroups than are remembered: those asked for last are. */
TEST_F(cgroups, memory_is_bounded)
{
	uint64_t first = make("first"), kept = make("kept");
	const char *path;
	uint64_t id = 1ULL << 40;

	ASSERT_EQ(0, kmon_cgroup_path(self->cgroups, first, &path));
	ASSERT_EQ(0, kmon_cgroup_path(self->cgroups, kept, &path));
	remove_cgroup("first");
	remove_cgroup("kept");
	for (int i = 0; i < 4200; i++) {
		ASSERT_EQ(-ENOENT,
			  kmon_cgroup_path(self->cgroups, id + i, &path));
		ASSERT_EQ(0, kmon_cgroup_path(self->cgroups, kept, &path));
	}
	EXPECT_STREQ(BASE "/kept", path);
	EXPECT_EQ(-ENOENT, kmon_cgroup_path(self->cgroups, first, &path));
}

TEST_F(cgroups, a_tree_too_deep_is_not_guessed_at)
{
	char name[PATH_MAX] = "0";
	uint64_t id = make(name), shallow = make("shallow");
	const char *path;
	int ret;

	for (int i = 1; i < 100; i++) {
		strcat(name, "/0");
		id = make(name);
	}
	ret = kmon_cgroup_path(self->cgroups, id, &path);
	EXPECT_EQ(variant->privileged ? 0 : -ENOENT, ret);
	ASSERT_EQ(0, kmon_cgroup_path(self->cgroups, shallow, &path));
	EXPECT_STREQ(BASE "/shallow", path);
}

TEST_F(cgroups, a_directory_has_its_id)
{
	uint64_t expected = make("outer"), id = 0;
	const char *path;

	EXPECT_EQ(0, kmon_cgroup_id(self->cgroups, MOUNT BASE "/outer", &id));
	EXPECT_EQ(expected, id);
	id = 0;
	EXPECT_EQ(0, kmon_cgroup_id(self->cgroups, BASE "/outer/", &id));
	EXPECT_EQ(expected, id);
	id = 0;
	EXPECT_EQ(0, kmon_cgroup_id(self->cgroups, &BASE "/outer"[1], &id));
	EXPECT_EQ(expected, id);
	EXPECT_EQ(0, kmon_cgroup_id(self->cgroups, "/", &id));
	EXPECT_EQ(0, kmon_cgroup_path(self->cgroups, id, &path));
	EXPECT_STREQ("/", path);
	EXPECT_EQ(-ENOENT, kmon_cgroup_id(self->cgroups, "", &id));
	EXPECT_EQ(-ENOENT, kmon_cgroup_id(self->cgroups, "/none", &id));
	EXPECT_EQ(-ENOENT, kmon_cgroup_id(self->cgroups, "tmp", &id));
	EXPECT_EQ(-ENODEV, kmon_cgroup_id(self->cgroups, "/tmp", &id));
	/* The same kind of file system, but no cgroups. */
	EXPECT_EQ(-ENODEV, kmon_cgroup_id(self->cgroups, "/sys/kernel", &id));
	EXPECT_EQ(-ENOTDIR, kmon_cgroup_id(self->cgroups, "cgroup.procs", &id));
}

TEST_F(cgroups, a_unit_has_its_id)
{
	uint64_t expected, id = 0;

	make("system.slice");
	expected = make("system.slice/foo.service");
	make("system.slice/foo.service.d");
	make("system.slice/x-foo.service");
	EXPECT_EQ(0, kmon_cgroup_by_unit(self->cgroups, "foo.service", &id));
	EXPECT_EQ(expected, id);
	EXPECT_EQ(-ENOENT,
		  kmon_cgroup_by_unit(self->cgroups, "oo.service", &id));
	EXPECT_EQ(-EINVAL, kmon_cgroup_by_unit(self->cgroups, "foo", &id));
	EXPECT_EQ(-EINVAL, kmon_cgroup_by_unit(self->cgroups, "", &id));
	EXPECT_EQ(-EINVAL,
		  kmon_cgroup_by_unit(self->cgroups, "system.slice/foo.service",
				      &id));
	expected = make("system.slice/_cgroup.x.service");
	EXPECT_EQ(0,
		  kmon_cgroup_by_unit(self->cgroups, "cgroup.x.service", &id));
	EXPECT_EQ(expected, id);
	/* A user's manager may have one of the same name. */
	make("user.slice");
	make("user.slice/foo.service");
	EXPECT_EQ(-ENOTUNIQ,
		  kmon_cgroup_by_unit(self->cgroups, "foo.service", &id));
}

TEST_F(cgroups, a_container_has_its_id)
{
	uint64_t a, b, id = 0;

	a = make("docker-" HEX_A ".scope");
	make("docker-" HEX_A ".scope/init.scope");
	EXPECT_EQ(0, kmon_cgroup_by_container(self->cgroups, "0", &id));
	EXPECT_EQ(a, id);
	b = make("libpod-" HEX_B);
	EXPECT_EQ(0, kmon_cgroup_by_container(self->cgroups,
					      "0123456789abcdeff", &id));
	EXPECT_EQ(b, id);
	EXPECT_EQ(0, kmon_cgroup_by_container(self->cgroups, HEX_A, &id));
	EXPECT_EQ(a, id);
	EXPECT_EQ(-ENOTUNIQ, kmon_cgroup_by_container(self->cgroups,
						      "0123456789abcdef", &id));
	EXPECT_EQ(-ENOENT, kmon_cgroup_by_container(self->cgroups, "f", &id));
	EXPECT_EQ(-EINVAL, kmon_cgroup_by_container(self->cgroups, "", &id));
	EXPECT_EQ(-EINVAL, kmon_cgroup_by_container(self->cgroups, "A", &id));
	EXPECT_EQ(-EINVAL,
		  kmon_cgroup_by_container(self->cgroups, HEX_A "0", &id));
}

/* The mount. */

TEST(a_mount_of_something_else_is_refused)
{
	struct kmon_cgroups *cgroups = NULL;

	EXPECT_EQ(-ENODEV, kmon_cgroups_new("/tmp", &cgroups));
	EXPECT_EQ(-ENODEV, kmon_cgroups_new("/sys", &cgroups));
	EXPECT_EQ(-ENOENT, kmon_cgroups_new("/nowhere", &cgroups));
	EXPECT_EQ(-ENOTDIR, kmon_cgroups_new("/proc/mounts", &cgroups));
	EXPECT_EQ(NULL, cgroups);
}

/* A mount that shows a part of the tree, and has a blank in its name. */
TEST(only_what_is_below_the_mount_is_named)
{
	struct kmon_cgroups *cgroups;
	uint64_t inner, outer, id;
	const char *path;

	remove_all();
	must(mkdir(MOUNT BASE, 0755));
	outer = make("outer");
	inner = make("outer/inner");
	must(unshare(CLONE_NEWNS));
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must(mkdir("/tmp/a mount", 0755));
	must(mount(MOUNT BASE "/outer", "/tmp/a mount", NULL, MS_BIND, NULL));
	must(umount2(MOUNT, MNT_DETACH));
	ASSERT_EQ(0, kmon_cgroups_new(NULL, &cgroups));
	ASSERT_EQ(0, kmon_cgroup_path(cgroups, inner, &path));
	EXPECT_STREQ("/inner", path);
	ASSERT_EQ(0, kmon_cgroup_path(cgroups, outer, &path));
	EXPECT_STREQ("/", path);
	EXPECT_EQ(-ENOENT, kmon_cgroup_path(cgroups, 1, &path));
	EXPECT_EQ(0, kmon_cgroup_id(cgroups, "/tmp/a mount/inner", &id));
	EXPECT_EQ(inner, id);
	kmon_cgroups_free(cgroups);
	must(umount2("/tmp/a mount", MNT_DETACH));
	must(rmdir("/tmp/a mount"));
	EXPECT_EQ(-ENODEV, kmon_cgroups_new(NULL, &cgroups));
}

int main(int argc, char **argv)
{
	atexit(remove_all);
	return test_harness_run(argc, argv);
}
