// SPDX-License-Identifier: GPL-2.0-only
/* Promise 10: the memory of a ring is the creator's, and its cgroup's limit holds. */

#include "kselftest_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common.h"

#define GROUP "/sys/fs/cgroup/memcg_test"
#define MIB (1L << 20)

FIXTURE(memcg)
{
	pid_t bystander;
};

static long number(const char *file, const char *key)
{
	char word[64];
	long value = -1;
	FILE *stream = fopen(file, "re");

	check(stream, "%s: %s", file, km_error(errno));
	if (!key) {
		check(fscanf(stream, "%ld", &value) == 1, "%s: no number",
		      file);
	} else {
		while (fscanf(stream, "%63s %ld", word, &value) == 2 &&
		       strcmp(word, key))
			value = -1;
	}
	fclose(stream);
	return value;
}

/* A bystander that has memory, in a group with a limit. */
FIXTURE_SETUP(memcg)
{
	int ready[2];

	must(mkdir(GROUP, 0755));
	ASSERT_EQ(0, km_write_file(GROUP "/memory.max", "25165824"));
	km_gate(ready);
	self->bystander = km_fork();
	if (!self->bystander) {
		char *memory;

		km_must_write(GROUP "/cgroup.procs", "0");
		memory = must(mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		memset(memory, 1, 4 * MIB);
		km_gate_open(ready);
		for (;;)
			pause();
	}
	km_gate_wait(ready);
	close(ready[0]);
	close(ready[1]);
}

FIXTURE_TEARDOWN(memcg)
{
	kill(self->bystander, SIGKILL);
	km_join(self->bystander);
	while (rmdir(GROUP) && errno == EBUSY)
		usleep(10000);
}

/* Tries to make a descriptor as a member of the group. */
static int init_in_group(uint32_t ring_records, int *ready, int *gate)
{
	struct kmonitor_attr attr = { .ring_records = ring_records };
	int fd;

	km_must_write(GROUP "/cgroup.procs", "0");
	fd = km_init(&attr, sizeof(attr), 0);
	if (gate && fd >= 0) {
		km_gate_open(ready);
		km_gate_wait(gate);
	}
	return fd < 0 ? -fd : 0;
}

TEST_F(memcg, a_ring_above_the_limit_is_refused_and_harms_nobody)
{
	pid_t child = km_fork();

	/* 128 MiB */
	if (!child)
		_exit(init_in_group(1U << 20, NULL, NULL));
	EXPECT_EQ(ENOMEM << 8, km_join(child));
	EXPECT_EQ(0, number(GROUP "/memory.events", "oom_kill"));
	EXPECT_EQ(0, kill(self->bystander, 0));
	EXPECT_EQ(0, waitpid(self->bystander, NULL, WNOHANG));
	/* Nothing is left half-made: what fits still does. */
	child = km_fork();
	if (!child)
		_exit(init_in_group(1U << 15, NULL, NULL));
	EXPECT_EQ(0, km_join(child));
}

TEST_F(memcg, a_ring_is_charged_and_given_back)
{
	const char *current = GROUP "/memory.current";
	long before, with, after;
	int ready[2], gate[2];
	pid_t child;

	km_gate(gate);
	km_gate(ready);
	before = number(current, NULL);
	child = km_fork();
	/* 8 MiB */
	if (!child)
		_exit(init_in_group(1U << 16, ready, gate));
	km_gate_wait(ready);
	with = number(current, NULL);
	/* Each processor has some charges in stock, which are given back late. */
	EXPECT_LE(before + 7 * MIB, with);
	km_gate_open(gate);
	EXPECT_EQ(0, km_join(child));
	for (int i = 0; i < KM_TIMEOUT_MS / 10; i++) {
		after = number(current, NULL);
		if (after < before + 2 * MIB)
			break;
		usleep(10000);
	}
	EXPECT_GT(before + 2 * MIB, after);
}

TEST_HARNESS_MAIN
