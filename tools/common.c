// SPDX-License-Identifier: GPL-2.0-only
/* Functions that several tools use. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

void complain(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

const char *advice(int error)
{
	switch (error) {
	case -ENOSYS:
		return "; try `make run` in kmonitor's sources";
	case -EPERM:
		return " (try sudo)";
	}
	return "";
}

int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

int poll_timeout(int64_t at_ns)
{
	int64_t left;

	if (at_ns == NEVER)
		return -1;
	left = at_ns - now_ns();
	if (left <= 0)
		return 0;
	left = (left + 999999) / 1000000;
	return left < INT_MAX ? (int)left : INT_MAX;
}

bool parse_number(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return !errno && !*end && *number && *number <= max;
}

/* Decimal, with a point whatever the locale. */
bool parse_duration(const char *text, int64_t *duration_ns)
{
	char *end;
	double seconds;

	if (!*text || strspn(text, "0123456789.") != strlen(text))
		return false;
	seconds = strtod(text, &end);
	if (*end || seconds > 1e9)
		return false;
	*duration_ns = (int64_t)(seconds * NSEC_PER_SEC);
	return *duration_ns > 0;
}

/*
 * A descriptor that is closed must not become that of the monitor.  The one put
 * in its place fails as it would, and the command does not get it.
 */
void hold_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		open("/dev/null",
		     (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	}
}
