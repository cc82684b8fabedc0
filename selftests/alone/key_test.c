// SPDX-License-Identifier: GPL-2.0-only
/*
 * Switching the hooks on and off: the kernel's text is as before a second after
 * the last close, and what is watched meanwhile is whole.
 */

#include "kselftest_harness.h"

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include "../common.h"

#define TEXT_SIZE 2048
#define ROUNDS 3
#define CHILDREN 50

static uint64_t address_of(const char *symbol)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	unsigned long long address, found = 0;
	char name[256];

	check(file, "/proc/kallsyms: %s", km_error(errno));
	while (!found &&
	       fscanf(file, "%llx %*c %255s%*[^\n]", &address, name) == 2) {
		if (!strcmp(name, symbol))
			found = address;
	}
	fclose(file);
	check(found, "no symbol %s", symbol);
	return found;
}

/* Reads the kernel's memory. */
static void read_kernel(uint64_t address, void *to, size_t size)
{
	int fd = must(open("/proc/kcore", O_RDONLY | O_CLOEXEC));
	Elf64_Ehdr header;
	Elf64_Phdr part;

	must(pread(fd, &header, sizeof(header), 0));
	for (int i = 0; i < header.e_phnum; i++) {
		must(pread(fd, &part, sizeof(part),
			   header.e_phoff + i * sizeof(part)));
		if (part.p_type != PT_LOAD || address < part.p_vaddr ||
		    address + size > part.p_vaddr + part.p_memsz)
			continue;
		check(pread(fd, to, size,
			    part.p_offset + address - part.p_vaddr) ==
			      (ssize_t)size,
		      "/proc/kcore: short read");
		close(fd);
		return;
	}
	die("/proc/kcore has no %#jx", (uintmax_t)address);
}

/* Waits until the text of a function is as given, or differs from it. */
static bool becomes(uint64_t address, const char *text, bool same)
{
	const uint64_t deadline = km_boottime_ns() + 10000000000ULL;
	char now[TEXT_SIZE];

	do {
		read_kernel(address, now, sizeof(now));
		if (!memcmp(now, text, sizeof(now)) == same)
			return true;
		usleep(50000);
	} while (km_boottime_ns() < deadline);
	return false;
}

TEST(promise_5_nothing_when_unused)
{
	const uint64_t address = address_of("do_exit");
	char off[TEXT_SIZE], on[TEXT_SIZE];
	int fd;

	read_kernel(address, off, sizeof(off));
	fd = km_open(0);
	read_kernel(address, on, sizeof(on));
	EXPECT_NE(0, memcmp(off, on, sizeof(on)));
	close(fd);
	EXPECT_TRUE(becomes(address, off, true));
	fd = km_open(0);
	EXPECT_TRUE(becomes(address, on, true));
	close(fd);
	EXPECT_TRUE(becomes(address, off, true));
}

static void bear_without_end(void)
{
	for (;;)
		km_join(km_fork() ?: (_exit(0), 0));
}

/* Waits, then has children and ends. */
static void bear(int gate[2])
{
	km_gate_wait(gate);
	for (int i = 0; i < CHILDREN; i++)
		km_join(km_fork() ?: (_exit(0), 0));
	_exit(0);
}

TEST(what_is_watched_between_two_switches_is_whole)
{
	const uint64_t address = address_of("do_exit");
	char off[TEXT_SIZE];
	pid_t storm;

	read_kernel(address, off, sizeof(off));
	storm = km_fork();
	if (!storm)
		bear_without_end();
	for (int round = 0; round < ROUNDS; round++) {
		struct km_log log = {};
		int gate[2];
		pid_t pid;
		int fd;

		km_gate(gate);
		pid = km_fork();
		if (!pid)
			bear(gate);
		fd = km_open(0);
		km_add(fd, KMONITOR_TARGET_TREE, pid, KM_LIFE, round);
		km_gate_open(gate);
		km_read_until(fd, &log, KMONITOR_EMPTY, pid);
		EXPECT_EQ(CHILDREN, km_count(&log, KMONITOR_PROCESS_FORK, pid));
		EXPECT_EQ(CHILDREN + 1, log.event[log.nr - 1].empty.members);
		EXPECT_EQ(log.nr, log.event[log.nr - 1].seq);
		EXPECT_EQ(0, km_join(pid));
		close(fd);
		close(gate[0]);
		close(gate[1]);
		free(log.event);
		EXPECT_TRUE(becomes(address, off, true));
	}
	kill(storm, SIGKILL);
	km_join(storm);
}

TEST_HARNESS_MAIN
