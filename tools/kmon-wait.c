// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmon-wait: waits for the end of processes and of trees of processes.
 *
 * Each has a filter of one descriptor; the cookie of the filter is its number
 * here.  A filter names the process that had the pid when it was added, whoever
 * has the pid later.
 */

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "common.h"
#include "wait.h"

#define BATCH 256
#define SMALL_RING 4096

const char *argp_program_version = "kmon-wait " KMON_VERSION;

/* The command line. */

enum { OPTION_FAIL_ON_LOSS = 256 };

static const struct argp_option options[] = {
	{ "name", 'N', "NAME", 0,
	  "Wait for all processes that now have this name (repeatable)", 1 },
	{ "root", 't', "PID", 0,
	  "Wait for process PID and all its descendants (repeatable)", 1 },
	{ "any", '1', NULL, 0, "Wait for the first end only", 2 },
	{ "timeout", 'T', "SECONDS", 0,
	  "Give up after SECONDS, such as 0.5, with status 124", 2 },
	{ "verbose", 'v', NULL, 0, "Write the status of each", 3 },
	{ "json", 'j', NULL, 0, "Write one JSON object for each end", 3 },
	{ "quiet", 'q', NULL, 0, "Write nothing but errors", 3 },
	{ "fail-on-loss", OPTION_FAIL_ON_LOSS, NULL, 0,
	  "End with status 3 if records were lost", 3 },
	{ 0 }
};

static const char doc[] =
	"Wait for the end of processes, whoever their parent is.\n"
	"\vThe exit status is 0 if all ended with success, 1 if one failed, 4 if the\n"
	"status of one isn't known (it had ended before, for instance), 3 with\n"
	"--fail-on-loss if records were lost, 124 after the timeout, 2 for wrong usage,\n"
	"and 125 if one can't be waited for or kmon-wait fails.";

static void add_request(struct argp_state *state, uint32_t kind,
			const char *option, const char *text)
{
	struct wait *wait = state->input;
	struct request request = { .kind = kind };
	uint64_t pid;

	if (kind == KMONITOR_TARGET_ALL) {
		if (!*text || strchr(text, '/'))
			argp_error(state, "-N %s: not a name", text);
		request.name = text;
	} else if (!parse_number(text, INT_MAX, &pid)) {
		argp_error(state, "%s%s: not a process id", option, text);
	} else {
		request.pid = (pid_t)pid;
		if (request.pid == getpid())
			argp_error(state, "%s%s: kmon-wait itself", option,
				   text);
	}
	wait->requests = reallocarray(wait->requests, wait->nr_requests + 1,
				      sizeof(*wait->requests));
	if (!wait->requests)
		argp_failure(state, EXIT_WAIT_FAILED, ENOMEM, "%s%s", option,
			     text);
	wait->requests[wait->nr_requests++] = request;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct wait *wait = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		add_request(state, KMONITOR_TARGET_PROCESS, "", arg);
		break;
	case 't':
		add_request(state, KMONITOR_TARGET_TREE, "-t ", arg);
		break;
	case 'N':
		add_request(state, KMONITOR_TARGET_ALL, "-N ", arg);
		break;
	case 'T':
		if (!parse_duration(arg, &wait->timeout_ns))
			argp_error(state, "-T %s: not a number of seconds",
				   arg);
		break;
	case '1':
		wait->any = true;
		break;
	case 'v':
		wait->verbose = true;
		break;
	case 'j':
		wait->json = true;
		break;
	case 'q':
		wait->quiet = true;
		break;
	case OPTION_FAIL_ON_LOSS:
		wait->fail_on_loss = true;
		break;
	case ARGP_KEY_END:
		if (!wait->nr_requests)
			argp_error(
				state,
				"nothing to wait for: give PID, -t PID or -N NAME");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "[PID...]",
	.doc = doc,
};

/* The monitor. */

/* Half of it for the list of all, half for their ends: then there is no loss. */
static int open_monitor(struct wait *wait)
{
	struct kmonitor_attr attr = {};
	struct sysinfo info;
	size_t most = wait->nr_requests;

	for (size_t i = 0; i < wait->nr_requests; i++) {
		if (wait->requests[i].name && !sysinfo(&info))
			most += info.procs;
	}
	if (most > SMALL_RING / 2)
		attr.ring_records = most < UINT32_MAX / 2 ? 2 * most :
							    UINT32_MAX;
	wait->fd = kmon_open(&attr, KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);
	if (attr.ring_records && (wait->fd == -EINVAL || wait->fd == -ENOMEM)) {
		attr.ring_records = 0;
		wait->fd =
			kmon_open(&attr, KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);
	}
	if (wait->fd < 0) {
		complain("%s%s", kmon_open_strerror(wait->fd),
			 advice(wait->fd));
		return EXIT_WAIT_FAILED;
	}
	return 0;
}

static int flush(const struct wait *wait)
{
	return output_flush(&wait->output) ? EXIT_WAIT_FAILED : 0;
}

/* The records. */

static bool is_done(const struct wait *wait)
{
	if (wait->any && wait->nr_ended + wait->nr_gone)
		return true;
	return wait->nr_ended == wait->nr_targets;
}

static int end_target(struct wait *wait, struct target *target,
		      const struct kmonitor_event *event)
{
	target->ended = true;
	wait->nr_ended++;
	if (!event || wait_is_redacted(event))
		wait->nr_unknown++;
	else if (event->type == KMONITOR_EMPTY ? event->empty.root_status :
						 event->exit.status)
		wait->nr_failed++;
	return wait_write_end(wait, target, event);
}

/* A member of a tree has the cookie of the innermost. */
static int take_listed(struct target *target,
		       const struct kmonitor_event *event)
{
	if (event->tgid == target->pid)
		target->listed = *event;
	if (event->tgid != getpid())
		return 0;
	complain(
		"-t %d: kmon-wait itself is in this tree, which can't end before it",
		target->pid);
	return EXIT_WAIT_FAILED;
}

static int take_record(struct wait *wait, const struct kmonitor_event *event)
{
	struct target *target;

	if (event->type == KMONITOR_LOST) {
		wait->lost += event->lost.count;
		wait->loss = true;
		return 0;
	}
	if (event->type == KMONITOR_SNAPSHOT_END ||
	    event->cookie >= wait->nr_cookies)
		return 0;
	target = wait->targets[event->cookie];
	switch (event->type) {
	case KMONITOR_TASK:
		return take_listed(target, event);
	case KMONITOR_PROCESS_EXIT:
	case KMONITOR_EMPTY:
		if (!target->ended)
			return end_target(wait, target, event);
	}
	return 0;
}

/* Takes what is there. */
static int take_records(struct wait *wait)
{
	static struct kmonitor_event events[BATCH];
	int nr, status;

	for (;;) {
		nr = kmon_read(wait->fd, events, BATCH);
		if (nr == -EAGAIN)
			break;
		if (nr == -EINTR)
			continue;
		if (nr < 0) {
			complain("reading records: %s", strerror(-nr));
			return EXIT_WAIT_FAILED;
		}
		for (int i = 0; i < nr && !is_done(wait); i++) {
			status = take_record(wait, &events[i]);
			if (status)
				return status;
		}
	}
	return flush(wait);
}

/* An EMPTY is never lost. */
static void find_missing(struct wait *wait)
{
	for (size_t i = 0; i < wait->nr_cookies; i++) {
		struct target *target = wait->targets[i];
		struct kmonitor_kill probe = { .handle = target->handle };

		if (target->kind == KMONITOR_TARGET_PROCESS && !target->ended)
			target->missing = kmon_kill(wait->fd, &probe) ==
					  -ENOENT;
	}
}

static int end_missing(struct wait *wait)
{
	for (size_t i = 0; i < wait->nr_cookies && !is_done(wait); i++) {
		struct target *target = wait->targets[i];
		int status;

		if (!target->missing || target->ended)
			continue;
		status = end_target(wait, target, NULL);
		if (status)
			return status;
	}
	return flush(wait);
}

/*
 * Takes what is there, and what is missing there: a filter that was gone before
 * the ring was found empty has sent its record, or has lost it.
 */
static int drain(struct wait *wait)
{
	int status = take_records(wait);

	while (!status && wait->loss && !is_done(wait)) {
		wait->loss = false;
		find_missing(wait);
		status = take_records(wait);
		if (!status)
			status = end_missing(wait);
	}
	return status;
}

/* For names, and for whether a tree holds kmon-wait. */
static int list(struct wait *wait)
{
	const struct kmonitor_snapshot snapshot = {};
	int ret, status;

	do {
		ret = kmon_snapshot(wait->fd, &snapshot);
		if (ret < 0 && ret != -EINTR) {
			complain("listing processes: %s", strerror(-ret));
			return EXIT_WAIT_FAILED;
		}
		status = take_records(wait);
	} while (!status && ret && !is_done(wait));
	return status;
}

static int watch(struct wait *wait)
{
	struct pollfd fds[] = {
		{ .fd = wait->fd, .events = POLLIN },
		/* Only for the error when the reader of a pipe has gone. */
		{ .fd = wait->verbose || wait->json ? STDOUT_FILENO : -1 },
	};
	int status;

	while (!is_done(wait)) {
		status = drain(wait);
		if (status || is_done(wait))
			return status;
		if (now_ns() >= wait->timeout_at) {
			wait->timed_out = true;
			return 0;
		}
		if (poll(fds, 2, poll_timeout(wait->timeout_at)) < 0 &&
		    errno != EINTR) {
			complain("poll: %s", strerror(errno));
			return EXIT_WAIT_FAILED;
		}
		if (fds[1].revents & (POLLERR | POLLHUP))
			output_reader_gone();
	}
	return 0;
}

static int result(const struct wait *wait)
{
	if (!wait->quiet && wait->timed_out)
		complain("%zu of %zu have not ended",
			 wait->nr_targets - wait->nr_ended, wait->nr_targets);
	if (!wait->quiet && wait->nr_unknown)
		complain("%zu ended with a status that isn't known",
			 wait->nr_unknown);
	if (!wait->quiet && wait->lost)
		complain("%llu records were lost",
			 (unsigned long long)wait->lost);
	if (wait->timed_out)
		return EXIT_TIMEOUT;
	if (wait->fail_on_loss && wait->lost)
		return EXIT_LOSS;
	if (wait->nr_failed)
		return EXIT_FAILURE;
	return wait->nr_unknown || wait->nr_gone ? EXIT_UNKNOWN : 0;
}

static int run(struct wait *wait)
{
	int status;

	wait->timeout_at = wait->timeout_ns ? now_ns() + wait->timeout_ns :
					      NEVER;
	output_open(&wait->output);
	status = open_monitor(wait);
	if (!status)
		status = wait_add_targets(wait);
	if (!status && !is_done(wait))
		status = list(wait);
	if (!status)
		status = watch(wait);
	return status ? status : result(wait);
}

int main(int argc, char **argv)
{
	struct wait wait = {};

	hold_standard_fds();
	setlocale(LC_CTYPE, "");
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &wait);
	return run(&wait);
}
