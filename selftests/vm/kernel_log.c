// SPDX-License-Identifier: GPL-2.0-only
/* Checks the kernel after the tests: its leak scan and its log. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define KMEMLEAK "/sys/kernel/debug/kmemleak"

/* Lines shown from the first bad one on. */
#define SHOWN_LINES 60

static const char *const bad[] = {
	"WARNING:",
	"BUG:",
	"Oops",
	"cut here",
	"Call Trace:",
	"KASAN:",
	"UBSAN:",
	"ODEBUG:",
	"refcount_t:",
	"lockdep is turned off",
	"turning off the locking correctness validator",
	"suspicious RCU",
	"possible recursive",
	"possible circular",
	"possible irq",
	"detected stall",
	"rcu_preempt kthread",
	"INFO: ",
	"unreferenced object",
	"suspected memory leak",
	"kmemleak: Memory pool empty",
	"kmemleak: Kernel memory leak detector disabled",
};

static bool is_bad(const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (strstr(line, bad[i]))
			return true;
	}
	return false;
}

/*
 * A race of data, from its first line to the one that names the reporter.  The
 * kernel has races of its own: those count that have kmonitor on a stack, but
 * not below an interrupt or fault, which has nothing to do with what it met, nor
 * below what those who wait, such as poll or io_uring, do when they are woken.
 */
struct race {
	char text[4096];
	size_t len;
	bool elsewhere;
};

/* Takes a line of a report; true once the line shows that it counts. */
static bool take_race(struct race *race, const char *line)
{
	size_t room = sizeof(race->text) - race->len;
	int len;

	if (strstr(line, "BUG: KCSAN:")) {
		race->len = 0;
		room = sizeof(race->text);
	} else if (!race->len) {
		return false;
	}
	if (strstr(line, "Reported by")) {
		race->len = 0;
		return false;
	}
	len = snprintf(race->text + race->len, room, "kernel: %s\n", line);
	if (len > 0 && (size_t)len < room)
		race->len += len;
	/* The first line of each of the stacks. */
	if (strstr(line, " to 0x"))
		race->elsewhere = false;
	if (strstr(line, " asm_") || strstr(line, " __wake_up_common"))
		race->elsewhere = true;
	return !race->elsewhere && strstr(line, "kmonitor");
}

static bool scan(int fd)
{
	if (write(fd, "scan", 4) == 4)
		return true;
	fprintf(stderr, "init: " KMEMLEAK ": %m\n");
	return false;
}

/* Scans twice: the second time confirms. Objects under five seconds old are not seen. */
void scan_for_leaks(struct results *results)
{
	int fd = open(KMEMLEAK, O_RDWR | O_CLOEXEC);
	char text[4096];
	bool leaks = false;
	ssize_t len;

	if (fd < 0)
		return;
	puts("== leak scan");
	sleep(6);
	if (!scan(fd) || !scan(fd))
		fail(results, "kernel: no leak scan");
	while ((len = read(fd, text, sizeof(text))) > 0) {
		leaks = true;
		fwrite(text, 1, len, stdout);
	}
	close(fd);
	if (leaks)
		fail(results, "kernel: memory leaks");
}

/* Fails the run for the first bad line of the kernel's log, and shows what follows it. */
void check_kernel_log(struct results *results)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct race race = { .len = 0 };
	bool in_oom_report = false;
	unsigned int found = 0;
	unsigned int show = 0;
	char first[256] = "";
	char record[8192];

	if (fd < 0) {
		fail(results, "kernel: /dev/kmsg: %m");
		return;
	}
	for (;;) {
		ssize_t len = read(fd, record, sizeof(record) - 1);
		char *line;

		/* EPIPE: records were overwritten before they were read. */
		if (len < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (len <= 0)
			break;
		record[len] = '\0';
		line = strchr(record, ';');
		line = line ? line + 1 : record;
		line[strcspn(line, "\n")] = '\0';

		/* The stack in the report of an out-of-memory kill is no fault. */
		if (strstr(line, "invoked oom-killer"))
			in_oom_report = true;
		if (strstr(line, "oom-kill:"))
			in_oom_report = false;
		if (take_race(&race, line)) {
			printf("== data race\n%s", race.text);
			race.len = 0;
			if (!found++)
				snprintf(first, sizeof(first), "data race");
			show = SHOWN_LINES;
			continue;
		}
		if (is_bad(line) && !strstr(line, "KCSAN:") &&
		    !(in_oom_report && strstr(line, "Call Trace:"))) {
			if (!found++) {
				puts("== kernel log");
				snprintf(first, sizeof(first), "%.255s", line);
				show = SHOWN_LINES;
			}
		}
		if (show) {
			show--;
			printf("kernel: %s\n", line);
		}
	}
	close(fd);
	if (found)
		fail(results, "kernel log: %s (%u such lines)", first, found);
}
