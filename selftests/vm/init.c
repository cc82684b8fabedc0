// SPDX-License-Identifier: GPL-2.0-only
/* PID 1 of the test VM: sets the system up, runs the asked mode, reports, powers off. */

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <linux/kmonitor.h>

#include "init.h"

#ifndef __NR_kmonitor_init
#define __NR_kmonitor_init 500
#endif

/* The second serial port, where only the outcome goes. */
#define OUTCOME_PORT "/dev/ttyS1"

/* Mounts a pseudo file system; what this kernel lacks is left out. */
void mount_at(const char *type, const char *target, const char *options)
{
	mkdir(target, 0755);
	if (mount(type, target, type, 0, options) && errno != ENODEV)
		fprintf(stderr, "init: %s on %s: %m\n", type, target);
}

/* Kills and reaps everything else. */
void kill_all(void)
{
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "init: %s: %m\n", path);
	close(fd);
}

static void set_up_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		perror("init: lo");
	close(fd);
}

static void set_up(void)
{
	mount_at("devtmpfs", "/dev", NULL);
	mount_at("proc", "/proc", NULL);
	mount_at("sysfs", "/sys", NULL);
	mount_at("debugfs", "/sys/kernel/debug", NULL);
	mount_at("cgroup2", "/sys/fs/cgroup", NULL);
	mount_at("devpts", "/dev/pts", "ptmxmode=0666");
	mount_at("tmpfs", "/dev/shm", "mode=1777");
	mount_at("tmpfs", "/tmp", "mode=1777");
	if (symlink("/proc/self/fd", "/dev/fd") && errno != EEXIST)
		perror("init: /dev/fd");
	write_to("/sys/fs/cgroup/cgroup.subtree_control", "+memory +pids");
	set_up_loopback();
	if (sethostname("kmonitor", 8))
		perror("init: hostname");
}

/* Copies the value of a word "name=value" of the kernel's command line. */
static bool parameter(const char *name, char *value, size_t size)
{
	char line[2048] = "";
	FILE *file = fopen("/proc/cmdline", "re");
	size_t len = strlen(name);

	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);

	for (char *word = strtok(line, "\n "); word;
	     word = strtok(NULL, "\n ")) {
		if (!strncmp(word, name, len) && word[len] == '=') {
			snprintf(value, size, "%s", word + len + 1);
			return true;
		}
	}
	return false;
}

/* Writes the outcome, waits until it is out, and ends the VM. */
static void power_off(const char *outcome)
{
	int fd = open(OUTCOME_PORT, O_WRONLY | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0) {
		if (write(fd, outcome, strlen(outcome)) < 0)
			perror("init: " OUTCOME_PORT);
		tcdrain(fd);
		close(fd);
	}
	fflush(NULL);
	tcdrain(STDOUT_FILENO);
	sync();
	/* Keeps "Restarting system" off the command's terminal. */
	write_to("/proc/sys/kernel/printk", "0");
	reboot(RB_AUTOBOOT);
}

/*
 * Keeps the hooks switched on: check.sh says why.  Charged to a user of its own,
 * for the tests of the limits.
 */
static void hold_hooks(void)
{
	if (seteuid(65533) ||
	    (syscall(__NR_kmonitor_init, NULL, 0, KMONITOR_CLOEXEC) < 0 &&
	     errno != ENOSYS))
		perror("init: kmonitor_init");
	if (seteuid(0))
		perror("init: seteuid");
}

static void check(void)
{
	static struct results results;
	static char outcome[sizeof(results.failures) + 128];
	char limit[16] = "300";
	char hold[4] = "0";
	char kunit[4] = "0";

	parameter("kmon.limit", limit, sizeof(limit));
	parameter("kmon.hold", hold, sizeof(hold));
	parameter("kmon.kunit", kunit, sizeof(kunit));
	if (atoi(kunit))
		check_kunit(&results);
	if (atoi(hold))
		hold_hooks();
	run_tests(&results, atoi(limit));
	scan_for_leaks(&results);
	check_kernel_log(&results);
	snprintf(outcome, sizeof(outcome),
		 "%sverdict: %u passed, %u failed, %u skipped\n",
		 results.failures, results.passed, results.failed,
		 results.skipped);
	power_off(outcome);
}

int main(void)
{
	char mode[16] = "";
	char outcome[32];

	setlinebuf(stdout);
	set_up();
	parameter("kmon.mode", mode, sizeof(mode));
	if (!strcmp(mode, "check"))
		check();
	snprintf(outcome, sizeof(outcome), "status: %d\n", run_on_host());
	power_off(outcome);
	return 1;
}
