// SPDX-License-Identifier: GPL-2.0-only
/*
 * The example supervisor runs each service exactly once, whoever is killed.
 */

#include "kselftest_harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "../common.h"

#define EXAMPLES "/examples"
#define NR_SERVICES 5
#define MAX_PROCESSES 4096
#define SUPERVISOR (-1)

/* A process of the test, as /proc shows it. */
struct process {
	pid_t pid;
	pid_t parent;
	/* The number of its service, or SUPERVISOR. */
	int service;
	/* The first process of its run of the service, 0 if not known yet. */
	pid_t instance;
};

FIXTURE(supervisor)
{
	char dir[64];
	pid_t store;
	struct process found[MAX_PROCESSES];
	size_t nr_found;
	/* The first process of each service. */
	pid_t main[NR_SERVICES];
};

static bool read_proc(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	len = read(fd, text, size - 1);
	close(fd);
	if (len <= 0)
		return false;
	text[len] = '\0';
	return true;
}

/* Whether a process belongs to the test; a zombie has no command line. */
static bool identify(const char *dir, pid_t pid, struct process *process)
{
	char line[512], comm[32], stat[512];
	const char *name;

	if (!read_proc(pid, "cmdline", line, sizeof(line)) ||
	    !read_proc(pid, "comm", comm, sizeof(comm)) ||
	    !read_proc(pid, "stat", stat, sizeof(stat)))
		return false;
	*process = (struct process){ .pid = pid, .service = SUPERVISOR };
	check(sscanf(strrchr(stat, ')'), ") %*c %d", &process->parent) == 1,
	      "unexpected %s", stat);
	name = line + strlen(line) + 1;
	if (!strcmp(line, EXAMPLES "/supervisor"))
		return true;
	if (strcmp(line, "service") || strcmp(name + strlen(name) + 1, dir))
		return false;
	process->service = name[0] - 'a';
	if (comm[1] == '.')
		process->instance = atoi(comm + 2);
	return true;
}

static void scan(FIXTURE_DATA(supervisor) * self)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t pid;

	check(proc, "no /proc");
	self->nr_found = 0;
	while (self->nr_found < MAX_PROCESSES && (entry = readdir(proc))) {
		pid = atoi(entry->d_name);
		if (pid > 0 &&
		    identify(self->dir, pid, &self->found[self->nr_found]))
			self->nr_found++;
	}
	closedir(proc);
}

/* The supervisor, 0 if there is none; its child before an exec is not meant. */
static pid_t find_supervisor(FIXTURE_DATA(supervisor) * self)
{
	scan(self);
	for (size_t i = 0; i < self->nr_found; i++) {
		if (self->found[i].service == SUPERVISOR &&
		    self->found[i].parent == self->store)
			return self->found[i].pid;
	}
	return 0;
}

/* Whether each service runs once, with its first process; notes that. */
static bool is_settled(FIXTURE_DATA(supervisor) * self)
{
	pid_t instance[NR_SERVICES] = {};
	unsigned int complete = 0;

	if (!find_supervisor(self))
		return false;
	memset(self->main, 0, sizeof(self->main));
	for (size_t i = 0; i < self->nr_found; i++) {
		const struct process *process = &self->found[i];
		int service = process->service;

		if (service == SUPERVISOR)
			continue;
		if (instance[service] && instance[service] != process->instance)
			return false;
		instance[service] = process->instance;
		if (process->pid == process->instance && process->pid) {
			self->main[service] = process->pid;
			complete++;
		}
	}
	return complete == NR_SERVICES;
}

static void print_file(const char *dir, const char *name)
{
	char path[128], line[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		printf("# %s: %s", name, line);
	if (file)
		fclose(file);
}

static void settle(FIXTURE_DATA(supervisor) * self)
{
	for (int i = 0; i < KM_TIMEOUT_MS / 20; i++) {
		if (is_settled(self))
			return;
		usleep(20000);
	}
	print_file(self->dir, "out");
	for (size_t i = 0; i < self->nr_found; i++)
		printf("# process %d of %d: service %d, instance %d\n",
		       self->found[i].pid, self->found[i].parent,
		       self->found[i].service, self->found[i].instance);
	die("not each service runs once");
}

/* How often the services have noted that. */
static unsigned int count_notes(const char *dir, const char *what)
{
	unsigned int count = 0;
	char path[128], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/log", dir);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		count += !strncmp(line, what, strlen(what));
	if (file)
		fclose(file);
	return count;
}

static void run_store(const char *dir)
{
	char *argv[NR_SERVICES + 5] = { EXAMPLES "/fdstore", NULL,
					EXAMPLES "/supervisor", "5" };
	char path[128];
	int fd;

	must(asprintf(&argv[1], "%s/store", dir));
	for (int i = 0; i < NR_SERVICES; i++)
		must(asprintf(&argv[4 + i], "%c=exec service %c %s", 'a' + i,
			      'a' + i, dir));
	snprintf(path, sizeof(path), "%s/out", dir);
	fd = must(open(path, O_WRONLY | O_CREAT | O_APPEND, 0600));
	must(dup2(fd, STDOUT_FILENO));
	must(dup2(fd, STDERR_FILENO));
	must(execv(argv[0], argv));
}

FIXTURE_SETUP(supervisor)
{
	strcpy(self->dir, "/tmp/supervisor-XXXXXX");
	check(mkdtemp(self->dir), "%s: %s", self->dir, km_error(errno));
	self->store = km_fork();
	if (!self->store)
		run_store(self->dir);
	settle(self);
}

/* An end on request leaves nothing, and nothing has ever run twice. */
FIXTURE_TEARDOWN(supervisor)
{
	int status;

	must(kill(self->store, SIGTERM));
	status = km_join(self->store);
	scan(self);
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, self->nr_found);
	EXPECT_EQ(0, count_notes(self->dir, "twice"));
}

static pid_t kill_supervisor(FIXTURE_DATA(supervisor) * self)
{
	pid_t pid;

	while (!(pid = find_supervisor(self)))
		usleep(10000);
	must(kill(pid, SIGKILL));
	return pid;
}

TEST_F(supervisor, services_outlive_it)
{
	pid_t before[NR_SERVICES], last;

	memcpy(before, self->main, sizeof(before));
	for (int i = 0; i < 5; i++) {
		last = kill_supervisor(self);
		while (find_supervisor(self) == last)
			usleep(1000);
	}
	/* The last one knows them. */
	must(kill(self->main[0], SIGKILL));
	while (count_notes(self->dir, "start") == NR_SERVICES)
		usleep(1000);
	settle(self);
	EXPECT_NE(before[0], self->main[0]);
	EXPECT_EQ(0, memcmp(before + 1, self->main + 1,
			    sizeof(before) - sizeof(*before)));
	EXPECT_EQ(NR_SERVICES + 1, count_notes(self->dir, "start"));
}

TEST_F(supervisor, the_rest_of_a_service_ends_with_its_first_process)
{
	pid_t before = self->main[2];

	must(kill(before, SIGKILL));
	while (count_notes(self->dir, "start") == NR_SERVICES)
		usleep(1000);
	settle(self);
	EXPECT_NE(before, self->main[2]);
}

/* One service ends as a whole, of one the first process only. */
TEST_F(supervisor, what_ends_without_it_is_started_again)
{
	pid_t before[NR_SERVICES], last;

	memcpy(before, self->main, sizeof(before));
	must(kill(self->store, SIGSTOP));
	last = kill_supervisor(self);
	while (km_state(last) != 'Z')
		usleep(1000);
	must(kill(before[1], SIGKILL));
	must(kill(before[0], SIGKILL));
	for (bool left = true; left;) {
		left = false;
		scan(self);
		for (size_t i = 0; i < self->nr_found; i++) {
			if (self->found[i].service)
				continue;
			left = true;
			kill(self->found[i].pid, SIGKILL);
		}
	}
	must(kill(self->store, SIGCONT));
	while (count_notes(self->dir, "start") < NR_SERVICES + 2)
		usleep(1000);
	settle(self);
	EXPECT_NE(before[0], self->main[0]);
	EXPECT_NE(before[1], self->main[1]);
	EXPECT_EQ(0, memcmp(before + 2, self->main + 2,
			    sizeof(before) - 2 * sizeof(*before)));
}

TEST_F(supervisor, lost_records_hide_no_end)
{
	pid_t before = self->main[3], supervisor = find_supervisor(self);

	must(kill(supervisor, SIGSTOP));
	must(kill(before, SIGUSR1));
	while (!count_notes(self->dir, "flooded"))
		usleep(10000);
	must(kill(before, SIGKILL));
	must(kill(supervisor, SIGCONT));
	while (count_notes(self->dir, "start") == NR_SERVICES)
		usleep(1000);
	settle(self);
	EXPECT_NE(before, self->main[3]);
	EXPECT_EQ(supervisor, find_supervisor(self));
}

TEST_F_TIMEOUT(supervisor, chaos_leaves_each_service_running_once,
	       KM_STORM_TIMEOUT)
{
	const time_t until = time(NULL) + km_seconds(12);
	unsigned int seed = time(NULL), supervisors = 0, others = 0, victim;

	srand(seed);
	while (time(NULL) < until) {
		scan(self);
		if (!self->nr_found || !(rand() % 10)) {
			kill_supervisor(self);
			supervisors++;
		} else {
			victim = rand() % self->nr_found;
			others += !kill(self->found[victim].pid, SIGKILL);
		}
		usleep(rand() % 40000);
	}
	settle(self);
	printf("# seed %u: %u supervisors, %u others killed, %u starts\n", seed,
	       supervisors, others, count_notes(self->dir, "start"));
	EXPECT_LT(0, supervisors);
	EXPECT_LT(NR_SERVICES, count_notes(self->dir, "start"));
	/* Nothing is on its way to be started a second time. */
	usleep(1000000);
	settle(self);
}

TEST_HARNESS_MAIN
