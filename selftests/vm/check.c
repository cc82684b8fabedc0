// SPDX-License-Identifier: GPL-2.0-only
/* Runs the tests one after the other and counts what their TAP lines say. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

#define TESTS "/selftests"
#define EXIT_SKIP 4

/* How long a test's descendants may go on writing after its own end. */
#define GRACE_MS 500

/* The output of one test program so far. */
struct output {
	const char *name;
	struct results *results;
	unsigned int passed;
	unsigned int failed;
	unsigned int skipped;
	int plan;
	char line[1024];
	size_t len;
};

static long long now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

/* Counts a failure and notes what it was. */
void fail(struct results *results, const char *format, ...)
{
	size_t room = sizeof(results->failures) - results->len;
	va_list args;
	int len;

	results->failed++;
	va_start(args, format);
	len = vsnprintf(results->failures + results->len, room, format, args);
	va_end(args);
	if (len < 0 || (size_t)len + 1 >= room) {
		results->failures[results->len] = '\0';
		return;
	}
	printf("FAILED: %s\n", results->failures + results->len);
	results->len += len;
	results->failures[results->len++] = '\n';
	results->failures[results->len] = '\0';
}

static void take_line(struct output *out)
{
	const char *line = out->line;

	puts(line);
	if (sscanf(line, "1..%d", &out->plan) == 1) {
		if (!out->plan)
			out->skipped++;
	} else if (!strncmp(line, "ok ", 3)) {
		if (strstr(line, "# SKIP"))
			out->skipped++;
		else
			out->passed++;
	} else if (!strncmp(line, "not ok ", 7)) {
		out->failed++;
		fail(out->results, "%s: %s", out->name, line);
	}
}

static void take(struct output *out, const char *text, size_t len)
{
	for (; len; len--, text++) {
		if (*text != '\n' && out->len < sizeof(out->line) - 1) {
			out->line[out->len++] = *text;
			continue;
		}
		out->line[out->len] = '\0';
		out->len = 0;
		take_line(out);
		if (*text != '\n')
			out->line[out->len++] = *text;
	}
}

static void exec_test(const char *path, int to)
{
	char *const argv[] = { (char *)path, NULL };
	char *const envp[] = { "PATH=/bin:" TESTS "/helpers", "HOME=/tmp",
			       "TMPDIR=/tmp", "LC_ALL=C", NULL };
	int null = open("/dev/null", O_RDONLY);

	setsid();
	dup2(null, STDIN_FILENO);
	dup2(to, STDOUT_FILENO);
	dup2(to, STDERR_FILENO);
	close(null);
	if (chdir("/tmp"))
		perror("/tmp");
	execve(path, argv, envp);
	perror(path);
	_exit(127);
}

/* Reaps what has died, orphans included; true once @pid was among them. */
static bool reap(pid_t pid, int *status)
{
	bool found = false;
	int one;

	for (pid_t got; (got = waitpid(-1, &one, WNOHANG)) > 0;) {
		if (got != pid)
			continue;
		*status = one;
		found = true;
	}
	return found;
}

/* Takes the test's output until it and its pipe end; false on timeout. */
static bool follow(struct output *out, pid_t pid, int from, int limit,
		   int *status)
{
	long long deadline = now_ms() + limit * 1000LL;
	struct pollfd pipe = { .fd = from, .events = POLLIN };
	bool alive = true;
	char text[4096];
	ssize_t len;

	while ((alive || pipe.fd >= 0) && now_ms() < deadline) {
		if (alive && reap(pid, status)) {
			alive = false;
			deadline = now_ms() + GRACE_MS;
		}
		if (poll(&pipe, 1, 20) <= 0)
			continue;
		len = read(from, text, sizeof(text));
		if (len > 0)
			take(out, text, len);
		else
			pipe.fd = -1;
	}
	return !alive;
}

static void count_results(struct output *out, bool ended, int status, int limit)
{
	unsigned int nr_results = out->passed + out->failed + out->skipped;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	if (!ended)
		fail(out->results, "%s: no end within %d seconds", out->name,
		     limit);
	else if (WIFSIGNALED(status))
		fail(out->results, "%s: killed by signal %d", out->name,
		     WTERMSIG(status));
	else if (code == EXIT_SKIP && !out->failed && !out->passed)
		out->skipped += !out->skipped;
	else if (code && !out->failed)
		fail(out->results, "%s: exit status %d", out->name, code);
	else if (out->plan > 0 && (unsigned int)out->plan != nr_results)
		fail(out->results, "%s: %d tests planned, %u run", out->name,
		     out->plan, nr_results);
	else if (!nr_results)
		out->passed++;
	out->results->passed += out->passed;
	out->results->skipped += out->skipped;
}

static void run_test(struct results *results, const char *name, int limit)
{
	struct output out = { .name = name, .results = results, .plan = -1 };
	long long start = now_ms();
	char path[512];
	int status = 0;
	int pipes[2];
	bool ended;
	pid_t pid;

	snprintf(path, sizeof(path), TESTS "/%s", name);
	printf("== %s\n", name);
	if (pipe2(pipes, O_CLOEXEC)) {
		fail(results, "%s: pipe: %m", name);
		return;
	}
	fflush(NULL);
	pid = fork();
	if (!pid)
		exec_test(path, pipes[1]);
	close(pipes[1]);
	if (pid < 0) {
		close(pipes[0]);
		fail(results, "%s: fork: %m", name);
		return;
	}
	ended = follow(&out, pid, pipes[0], limit, &status);
	kill_all();
	close(pipes[0]);
	if (out.len)
		take(&out, "\n", 1);
	count_results(&out, ended, status, limit);
	printf("== %s took %.1f s\n", name, (now_ms() - start) / 1000.0);
}

static int is_test(const struct dirent *entry)
{
	char path[512];
	struct stat info;

	snprintf(path, sizeof(path), TESTS "/%s", entry->d_name);
	return !stat(path, &info) && S_ISREG(info.st_mode) &&
	       info.st_mode & 0111;
}

/* Runs each executable of the tests' directory, each with this limit in seconds. */
void run_tests(struct results *results, int limit)
{
	struct dirent **entries;
	int count = scandir(TESTS, &entries, is_test, alphasort);

	if (count <= 0)
		fail(results, "no tests in " TESTS);
	for (int i = 0; i < count; i++) {
		run_test(results, entries[i]->d_name, limit);
		free(entries[i]);
	}
	if (count > 0)
		free(entries);
}
