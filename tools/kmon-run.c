// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmon-run: runs a command in a tree of its own, and leaves nothing of it.
 *
 * The tree has KMONITOR_FILTER_KILL_ON_CLOSE: whatever ends kmon-run ends all
 * members.  The end is the EMPTY record, which is never lost.
 */

#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "command.h"
#include "common.h"
#include "kmon.h"
#include "output.h"

#define BATCH 64
#define RING 4096
/* A fork bomb may kill more of its own than anybody wants to read of. */
#define MAX_SHOWN 16
#define DEFAULT_GRACE_NS (5 * NSEC_PER_SEC)
#define EXIT_RUN_FAILED 125

struct run {
	/* Options of the command line. */
	char **command;
	int signo;
	int64_t timeout_ns;
	int64_t grace_ns;
	bool quiet;
	bool json;

	/* The state of the run. */
	int fd;
	int signal_fd;
	sigset_t mask;
	uint64_t handle;
	pid_t root;
	int root_status;
	bool root_ended;
	bool timed_out;
	/* The signals that the tree was sent from here. */
	sigset_t sent;
	int64_t start_ns;
	int64_t timeout_at;
	int64_t kill_at;
	bool empty;

	/* The totals. */
	struct kmonitor_empty totals;
	uint64_t lost;
	unsigned int nr_killed;
	struct json_object *killed;
};

const char *argp_program_version = "kmon-run " KMON_VERSION;

static const struct argp_option options[] = {
	{ "timeout", 'T', "SECONDS", 0,
	  "End the command after SECONDS, such as 0.5", 1 },
	{ "signal", 's', "SIGNAL", 0,
	  "Send SIGNAL at the timeout (default: TERM)", 1 },
	{ "kill-after", 'k', "SECONDS", 0,
	  "Kill what is left SECONDS after a signal (default: 5)", 1 },
	{ "json", 'j', NULL, 0, "Write the totals as one JSON object", 2 },
	{ "quiet", 'q', NULL, 0, "Write no totals", 2 },
	{ 0 }
};

static const char doc[] =
	"Run a command in a tree of its own: when it ends, nothing that it has\n"
	"started is left.\n"
	"\vAt the end of CMD all that is left of its descendants is killed.\n"
	"Totals are written to standard error. The exit status is that of CMD,\n"
	"128 and the number of the signal that killed it, 124 after a timeout,\n"
	"126 if CMD can't be run, 127 if it isn't found, 125 if kmon-run fails.";

/* The command line. */

static int parse_signal(const char *text)
{
	const char *name = strncmp(text, "SIG", 3) ? text : text + 3;
	uint64_t number;

	if (parse_number(text, SIGRTMAX, &number))
		return (int)number;
	for (int signo = 1; signo < NSIG; signo++) {
		if (sigabbrev_np(signo) && !strcmp(name, sigabbrev_np(signo)))
			return signo;
	}
	return 0;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct run *run = state->input;

	switch (key) {
	case 'T':
		if (!parse_duration(arg, &run->timeout_ns))
			argp_error(state, "-T %s: not a number of seconds",
				   arg);
		break;
	case 'k':
		if (!parse_duration(arg, &run->grace_ns))
			argp_error(state, "-k %s: not a number of seconds",
				   arg);
		break;
	case 's':
		run->signo = parse_signal(arg);
		if (!run->signo)
			argp_error(state, "-s %s: not a signal", arg);
		break;
	case 'j':
		run->json = true;
		break;
	case 'q':
		run->quiet = true;
		break;
	case ARGP_KEY_ARGS:
		run->command = state->argv + state->next;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no command to run");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "CMD [ARG...]",
	.doc = doc,
};

/* The command. */

static int start(struct run *run)
{
	const struct kmonitor_attr attr = { .ring_records = RING };
	struct kmonitor_filter tree = {
		.flags = KMONITOR_FILTER_KILL_ON_CLOSE,
		.events = KMONITOR_PROCESS_ABORT,
	};
	const struct kmon_command command = {
		.file = run->command[0],
		.argv = run->command,
		.mask = &run->mask,
	};
	int status;

	run->fd = kmon_open(&attr, KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);
	if (run->fd < 0) {
		complain("%s%s", kmon_open_strerror(run->fd), advice(run->fd));
		return EXIT_RUN_FAILED;
	}
	run->start_ns = now_ns();
	run->timeout_at = run->timeout_ns ? run->start_ns + run->timeout_ns :
					    NEVER;
	status = start_command(run->fd, &tree, &command, &run->root);
	run->handle = tree.handle;
	/* A closed stderr must not end the tree. */
	signal(SIGPIPE, SIG_IGN);
	return status == EXIT_FAILURE ? EXIT_RUN_FAILED : status;
}

/* Members that may not be signalled end with kmon-run, or by themselves. */
static void signal_all(struct run *run, int signo)
{
	struct kmonitor_kill kill = { .handle = run->handle, .signo = signo };
	int ret = kmon_kill(run->fd, &kill);

	sigaddset(&run->sent, signo);
	if (ret && ret != -ENOENT)
		complain("sending signal %d: %s", signo, strerror(-ret));
	if (kill.refused)
		complain("%u processes may not be signalled", kill.refused);
}

/* A request to end; the second time there is no grace. */
static void end_all(struct run *run, int signo)
{
	const bool again = run->kill_at != NEVER;

	if (!again && signo != SIGKILL) {
		run->kill_at = now_ns() + run->grace_ns;
		if (signo)
			signal_all(run, signo);
	} else {
		run->kill_at = NEVER;
		signal_all(run, SIGKILL);
	}
}

static void reap(struct run *run)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != run->root)
			continue;
		run->root_status = status;
		run->root_ended = true;
		if (!run->empty)
			end_all(run, SIGKILL);
	}
}

/* From a terminal a signal goes to the command, too. */
static void handle_signal(struct run *run)
{
	struct signalfd_siginfo info;

	if (read(run->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD)
		reap(run);
	else
		end_all(run,
			info.ssi_code == SI_KERNEL ? 0 : (int)info.ssi_signo);
}

static void show_killed(const struct kmonitor_event *event)
{
	char comm[KMON_ESCAPE_MAX(sizeof(event->comm))];
	char details[KMON_LINE_MAX];

	kmon_escape(event->comm, sizeof(event->comm), KMON_TEXT_ASCII, comm,
		    sizeof(comm));
	kmon_format_details(event, 0, details, sizeof(details));
	complain("%s (%d) killed: %s", comm, event->tgid, details);
}

/* A child that was just being forked gets a signal without its sender. */
static bool is_killed_here(const struct run *run,
			   const struct kmonitor_abort *abort)
{
	if (abort->flags & KMONITOR_ABORT_SENDER_UNKNOWN)
		return sigismember(&run->sent, abort->signo);
	return abort->sender_pid == getpid();
}

static void take_abort(struct run *run, const struct kmonitor_event *event)
{
	if (is_killed_here(run, &event->abort))
		return;
	run->nr_killed++;
	if (run->nr_killed > MAX_SHOWN)
		return;
	if (run->json)
		json_object_array_add(run->killed,
				      kmon_json_event(event,
						      kmon_wall_offset()));
	else if (!run->quiet)
		show_killed(event);
}

static int take_records(struct run *run)
{
	struct kmonitor_event events[BATCH];
	int nr = kmon_read(run->fd, events, BATCH);

	if (nr < 0 && nr != -EAGAIN && nr != -EINTR) {
		complain("reading records: %s", strerror(-nr));
		return EXIT_RUN_FAILED;
	}
	for (int i = 0; i < nr; i++) {
		switch (events[i].type) {
		case KMONITOR_PROCESS_ABORT:
			take_abort(run, &events[i]);
			break;
		case KMONITOR_LOST:
			run->lost += events[i].lost.count;
			break;
		case KMONITOR_EMPTY:
			run->totals = events[i].empty;
			run->empty = true;
			break;
		}
	}
	return 0;
}

static void take_time(struct run *run)
{
	const int64_t now = now_ns();

	if (now >= run->timeout_at) {
		run->timeout_at = NEVER;
		run->timed_out = true;
		end_all(run, run->signo);
	}
	if (now >= run->kill_at)
		end_all(run, SIGKILL);
}

/* When something is to be done without a record or signal. */
static int64_t next_time(const struct run *run)
{
	return run->timeout_at < run->kill_at ? run->timeout_at : run->kill_at;
}

static int watch(struct run *run)
{
	struct pollfd fds[] = {
		{ .fd = run->fd, .events = POLLIN },
		{ .fd = run->signal_fd, .events = POLLIN },
	};
	int status;

	while (!run->empty) {
		if (poll(fds, 2, poll_timeout(next_time(run))) < 0 &&
		    errno != EINTR) {
			complain("poll: %s", strerror(errno));
			return EXIT_RUN_FAILED;
		}
		take_time(run);
		if (fds[1].revents)
			handle_signal(run);
		status = fds[0].revents ? take_records(run) : 0;
		if (status)
			return status;
	}
	if (!run->root_ended)
		while (waitpid(run->root, &run->root_status, 0) < 0 &&
		       errno == EINTR)
			;
	return 0;
}

/* The totals. */

static void print_text(const struct run *run, double wall)
{
	const struct kmonitor_empty *totals = &run->totals;

	complain(
		"%u processes, %u failed, %u killed by others, cpu %.3f s, largest rss %llu KiB, %.3f s",
		totals->members, totals->failed, run->nr_killed,
		(double)(totals->utime_ns + totals->stime_ns) / NSEC_PER_SEC,
		(unsigned long long)totals->maxrss_kib, wall);
	if (run->lost)
		complain("%llu records of killed processes were lost",
			 (unsigned long long)run->lost);
}

static void print_json(const struct run *run, double wall)
{
	const struct kmonitor_empty *totals = &run->totals;
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "processes",
			       json_object_new_int64(totals->members));
	json_object_object_add(object, "failed",
			       json_object_new_int64(totals->failed));
	json_object_object_add(object, "utime_ns",
			       json_object_new_uint64(totals->utime_ns));
	json_object_object_add(object, "stime_ns",
			       json_object_new_uint64(totals->stime_ns));
	json_object_object_add(object, "maxrss_kib",
			       json_object_new_uint64(totals->maxrss_kib));
	json_object_object_add(object, "seconds", json_object_new_double(wall));
	json_object_object_add(object, "timed_out",
			       json_object_new_boolean(run->timed_out));
	json_object_object_add(object, "lost",
			       json_object_new_uint64(run->lost));
	json_object_object_add(object, "killed", json_object_get(run->killed));
	fprintf(stderr, "%s\n",
		json_object_to_json_string_ext(object, JSON_FLAGS));
	json_object_put(object);
}

static void print_totals(const struct run *run)
{
	const double wall = (double)(now_ns() - run->start_ns) / NSEC_PER_SEC;

	if (run->json)
		print_json(run, wall);
	else if (!run->quiet)
		print_text(run, wall);
}

static int exit_status(const struct run *run)
{
	return run->timed_out ? EXIT_TIMEOUT : shell_status(run->root_status);
}

/* The signals that end kmon-run, unless they were ignored before. */
static int block_signals(struct run *run)
{
	const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < sizeof(ending) / sizeof(*ending); i++) {
		sigaction(ending[i], NULL, &action);
		if (action.sa_handler != SIG_IGN)
			sigaddset(&set, ending[i]);
	}
	sigprocmask(SIG_BLOCK, &set, &run->mask);
	run->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->signal_fd < 0) {
		complain("signalfd: %s", strerror(errno));
		return EXIT_RUN_FAILED;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct run run = {
		.signo = SIGTERM,
		.grace_ns = DEFAULT_GRACE_NS,
		.kill_at = NEVER,
	};
	int status;

	hold_standard_fds();
	setlocale(LC_CTYPE, "");
	argp_err_exit_status = EXIT_RUN_FAILED;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &run);

	sigemptyset(&run.sent);
	run.killed = json_object_new_array();
	status = block_signals(&run);
	if (!status)
		status = start(&run);
	if (!status)
		status = watch(&run);
	if (!status) {
		print_totals(&run);
		status = exit_status(&run);
	}
	json_object_put(run.killed);
	return status;
}
