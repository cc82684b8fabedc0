// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmon-tail: shows the life of processes as it happens.
 *
 * A command is followed from before its first instruction: the child joins the
 * filter as a tree on the inherited descriptor, which its exec then closes.
 */

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "common.h"
#include "kmon.h"

#define JSON_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
#define BATCH 256
#define DEFAULT_RING 16384
#define DEFAULT_EVENTS \
	(KMONITOR_PROCESS_FORK | KMONITOR_PROCESS_EXEC | KMONITOR_PROCESS_EXIT)
#define EVENT_NAMES "fork, thread, exec, exit, thread-exit"
#define NO_TARGET "nothing to follow: give -p PID, -t PID, -a or a command"
/* Records that no filter asks for. */
#define STREAM_EVENTS                                            \
	(KMONITOR_TASK | KMONITOR_SNAPSHOT_END | KMONITOR_LOST | \
	 KMONITOR_EMPTY | KMONITOR_UNTRACKED | KMONITOR_EXEC_ARGS)

/* The command's child tells how far it came. */
enum stage { STAGE_JOINED, STAGE_NOT_JOINED, STAGE_NOT_RUN };

struct report {
	enum stage stage;
	int error;
};

struct target {
	struct kmonitor_filter filter;
	bool ended;
};

struct tail {
	/* What the command line says. */
	struct target *targets;
	size_t nr_targets;
	bool all;
	uint32_t events;
	char *events_text;
	bool json;
	bool stats;
	bool line_buffered;
	uint64_t count;
	int64_t duration_ns;
	uint32_t ring;
	const char *output_name;
	char **command;

	/* The state of the run. */
	FILE *output;
	bool colour;
	unsigned int text_flags;
	int fd;
	uint32_t ring_records;
	struct sigaction old_actions[3];
	pid_t child;
	int child_fd;
	bool child_joined;
	bool child_ended;
	int64_t start_ns;
	/* What is left to read once the end has come; negative before. */
	int64_t remaining;
	bool done;

	/* The totals. */
	uint64_t shown;
	uint64_t lost;
	uint32_t processes;
};

const char *argp_program_version = "kmon-tail " KMON_VERSION;

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
static int signal_pipe[2];

/* The command line. */

enum { OPTION_RING = 256 };

static const struct argp_option options[] = {
	{ "pid", 'p', "PID", 0, "Follow process PID (repeatable)", 1 },
	{ "tree", 't', "PID", 0,
	  "Follow process PID and all its descendants (repeatable)", 1 },
	{ "all", 'a', NULL, 0, "Follow every process (needs CAP_SYS_PTRACE)",
	  1 },
	{ "events", 'e', "LIST", 0,
	  "Show these events, separated by commas, of " EVENT_NAMES
	  " (default: fork,exec,exit)",
	  2 },
	{ "json", 'j', NULL, 0, "Write one JSON object a line", 3 },
	{ "output", 'o', "FILE", 0, "Write to FILE instead of standard output",
	  3 },
	{ "line-buffered", 'l', NULL, 0, "Write each line at once", 3 },
	{ "stats", 'S', NULL, 0, "Print a summary at the end also without CMD",
	  3 },
	{ "count", 'n', "COUNT", 0, "Stop after COUNT records", 4 },
	{ "duration", 'D', "SECONDS", 0, "Stop after SECONDS, such as 0.5", 4 },
	{ "ring", OPTION_RING, "RECORDS", 0,
	  "Let the kernel hold RECORDS unread records (default: 16384)", 4 },
	{ 0 }
};

static void add_target(struct argp_state *state, struct tail *tail, int option,
		       const char *text)
{
	struct target *target;
	uint64_t pid;

	if (!parse_number(text, INT_MAX, &pid))
		argp_error(state, "-%c %s: not a process id", option, text);
	tail->targets = reallocarray(tail->targets, tail->nr_targets + 1,
				     sizeof(*tail->targets));
	if (!tail->targets)
		argp_failure(state, EXIT_FAILURE, ENOMEM, "-%c %s", option,
			     text);
	target = &tail->targets[tail->nr_targets++];
	*target = (struct target){
		.filter = {
			.target = option == 'p' ? KMONITOR_TARGET_PROCESS :
						  KMONITOR_TARGET_TREE,
			.id = pid,
		},
	};
}

static void parse_events(struct argp_state *state, struct tail *tail,
			 char *text)
{
	char *list = strdup(text), *rest = list, *name;
	uint32_t type;

	if (!list)
		argp_failure(state, EXIT_FAILURE, ENOMEM, "-e %s", text);
	tail->events = 0;
	tail->events_text = text;
	while ((name = strsep(&rest, ","))) {
		type = kmon_event_by_name(name);
		if (!type || type & STREAM_EVENTS)
			argp_error(state, "-e %s: '%s' is none of " EVENT_NAMES,
				   text, name);
		tail->events |= type;
	}
	free(list);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct tail *tail = state->input;
	uint64_t number;

	switch (key) {
	case 'p':
	case 't':
		add_target(state, tail, key, arg);
		return 0;
	case 'a':
		tail->all = true;
		return 0;
	case 'e':
		parse_events(state, tail, arg);
		return 0;
	case 'j':
		tail->json = true;
		return 0;
	case 'o':
		tail->output_name = arg;
		return 0;
	case 'l':
		tail->line_buffered = true;
		return 0;
	case 'S':
		tail->stats = true;
		return 0;
	case 'n':
		if (!parse_number(arg, UINT64_MAX, &tail->count))
			argp_error(state, "-n %s: not a number above 0", arg);
		return 0;
	case 'D':
		if (!parse_duration(arg, &tail->duration_ns))
			argp_error(state,
				   "-D %s: not a number of seconds above 0",
				   arg);
		return 0;
	case OPTION_RING:
		if (!parse_number(arg, UINT32_MAX, &number))
			argp_error(state, "--ring %s: not a number of records",
				   arg);
		tail->ring = number;
		return 0;
	case ARGP_KEY_ARG:
		/* The rest of the line, whatever it looks like, is CMD's. */
		tail->command = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		if (!tail->command && !tail->nr_targets && !tail->all)
			argp_error(state, NO_TARGET);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const char doc[] =
	"Show the life of processes as it happens: their forks, execs and exits.\n"
	"\vCMD and all its descendants are followed from before CMD's first instruction;\n"
	"kmon-tail ends after the last of them, with CMD's status.  Without CMD it ends\n"
	"with the last process or tree followed, or when interrupted.\n";

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "[--] [CMD [ARG...]]",
	.doc = doc,
};

/* The output. */

static const char *output_name(const struct tail *tail)
{
	return tail->output_name ? tail->output_name : "standard output";
}

static int write_failed(const struct tail *tail)
{
	/* With SIGPIPE ignored: as quiet as the signal would be. */
	if (errno == EPIPE)
		_exit(EXIT_SIGNAL(SIGPIPE));
	complain("writing %s: %s", output_name(tail), strerror(errno));
	return EXIT_FAILURE;
}

static bool wants_colour(FILE *file)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(fileno(file)) && !(no_color && *no_color) &&
	       !(term && !strcmp(term, "dumb"));
}

static int open_output(struct tail *tail)
{
	char line[KMON_LINE_MAX];

	tail->output = stdout;
	if (tail->output_name) {
		tail->output = fopen(tail->output_name, "we");
		if (!tail->output) {
			complain("-o %s: %s", tail->output_name,
				 strerror(errno));
			return EXIT_FAILURE;
		}
	}
	if (isatty(fileno(tail->output)))
		tail->line_buffered = true;
	setvbuf(tail->output, NULL, tail->line_buffered ? _IOLBF : _IOFBF,
		1 << 16);
	tail->colour = wants_colour(tail->output);
	if (strcmp(nl_langinfo(CODESET), "UTF-8"))
		tail->text_flags |= KMON_TEXT_ASCII;
	if (tail->json)
		return 0;
	kmon_format_header(line, sizeof(line));
	if (fprintf(tail->output, "%s\n", line) < 0 || fflush(tail->output))
		return write_failed(tail);
	return 0;
}

static int write_json(struct tail *tail, const struct kmonitor_event *event,
		      int64_t wall_offset)
{
	struct json_object *object = kmon_json_event(event, wall_offset);
	const char *text = NULL;
	int n;

	if (object)
		text = json_object_to_json_string_ext(object, JSON_FLAGS);
	if (!text) {
		json_object_put(object);
		complain("not enough memory for a record");
		return EXIT_FAILURE;
	}
	n = fprintf(tail->output, "%s\n", text);
	json_object_put(object);
	return n < 0 ? write_failed(tail) : 0;
}

static int write_text(struct tail *tail, const struct kmonitor_event *event,
		      int64_t wall_offset)
{
	bool loud = tail->colour && event->type == KMONITOR_LOST;
	char line[KMON_LINE_MAX];

	kmon_format_event(event, wall_offset, tail->text_flags, line,
			  sizeof(line));
	if (fprintf(tail->output, "%s%s%s\n", loud ? "\033[1;31m" : "", line,
		    loud ? "\033[0m" : "") < 0)
		return write_failed(tail);
	return 0;
}

/* On stderr, so that it does not mix with records that go elsewhere. */
static void print_summary(const struct tail *tail)
{
	double seconds = (double)(now_ns() - tail->start_ns) / NSEC_PER_SEC;
	struct kmonitor_stats stats = {};

	if (!tail->command && !tail->stats)
		return;
	kmon_stats(tail->fd, &stats);
	fprintf(stderr, "kmon-tail: %llu record%s, ",
		(unsigned long long)tail->shown, tail->shown == 1 ? "" : "s");
	if (tail->child_ended)
		fprintf(stderr, "%u process%s, ", tail->processes,
			tail->processes == 1 ? "" : "es");
	fprintf(stderr, "%llu lost, %.1f s\n",
		(unsigned long long)(tail->lost + stats.pending), seconds);
}

/* The monitor and its filter. */

static int check_events(const struct tail *tail, uint32_t supported)
{
	uint32_t missing = tail->events & ~supported;

	if (!missing)
		return 0;
	complain("-e %s: this kernel's kmonitor does not report '%s' yet",
		 tail->events_text, kmon_event_name(missing & -missing));
	return EXIT_FAILURE;
}

static int open_monitor(struct tail *tail)
{
	struct kmonitor_attr attr = { .ring_records = tail->ring };
	struct kmonitor_info info = {};
	int ret;

	tail->fd = kmon_open(&attr, KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);
	if (tail->fd == -EINVAL || tail->fd == -ENOMEM) {
		complain("--ring %u: %s", tail->ring,
			 kmon_open_strerror(tail->fd));
		return EXIT_FAILURE;
	}
	if (tail->fd < 0) {
		complain("%s", kmon_open_strerror(tail->fd));
		return EXIT_FAILURE;
	}
	ret = kmon_info(tail->fd, &info);
	if (ret) {
		complain("asking the kernel for its features: %s",
			 strerror(-ret));
		return EXIT_FAILURE;
	}
	tail->ring_records = info.ring_records;
	return check_events(tail, info.events);
}

/* Whether the end of what is followed ends the run. */
static bool ends_with_targets(const struct tail *tail)
{
	return !tail->all && !tail->command;
}

static int add_filters(struct tail *tail)
{
	struct kmonitor_filter all = {
		.target = KMONITOR_TARGET_ALL,
		.events = tail->events,
	};
	int ret;

	for (size_t i = 0; i < tail->nr_targets; i++) {
		struct kmonitor_filter *filter = &tail->targets[i].filter;
		bool process = filter->target == KMONITOR_TARGET_PROCESS;

		filter->events = tail->events;
		/* Its end must be noticed, if not shown. */
		if (process && ends_with_targets(tail))
			filter->events |= KMONITOR_PROCESS_EXIT;
		ret = kmon_filter_add(tail->fd, filter);
		if (ret) {
			complain("-%c %llu: %s", process ? 'p' : 't',
				 (unsigned long long)filter->id,
				 kmon_filter_strerror(filter, ret));
			return EXIT_FAILURE;
		}
	}
	if (!tail->all)
		return 0;
	ret = kmon_filter_add(tail->fd, &all);
	if (ret) {
		complain("-a: %s", kmon_filter_strerror(&all, ret));
		return EXIT_FAILURE;
	}
	return 0;
}

/* Signals. */

static void on_signal(int signo)
{
	int saved = errno;
	char byte = (char)signo;
	ssize_t n = write(signal_pipe[1], &byte, 1);

	(void)n;
	errno = saved;
}

/*
 * The first signal of a kind is a request; the second has the default action,
 * which ends even a kmon-tail that is stuck in a write.  What was ignored stays
 * so.
 */
static int catch_signals(struct tail *tail)
{
	struct sigaction action = {
		.sa_handler = on_signal,
		.sa_flags = SA_RESTART | SA_RESETHAND,
	};

	if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK)) {
		complain("pipe: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < 3; i++) {
		sigaction(signals[i], NULL, &tail->old_actions[i]);
		if (tail->old_actions[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
	return 0;
}

/* The command. */

/* Runs in the child.  Its signals are blocked until they are its own again. */
__attribute__((noreturn)) static void
run_command(const struct tail *tail, int report_fd, const sigset_t *mask)
{
	struct kmonitor_filter self = {
		.target = KMONITOR_TARGET_TREE,
		.events = tail->events,
	};
	struct report report = { .stage = STAGE_JOINED };
	ssize_t n;

	for (size_t i = 0; i < 3; i++)
		sigaction(signals[i], &tail->old_actions[i], NULL);
	report.error = kmon_filter_add(tail->fd, &self);
	if (report.error)
		report.stage = STAGE_NOT_JOINED;
	n = write(report_fd, &report, sizeof(report));
	if (report.error || n != sizeof(report))
		_exit(EXIT_FAILURE);

	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(tail->command[0], tail->command);
	report = (struct report){ STAGE_NOT_RUN, -errno };
	n = write(report_fd, &report, sizeof(report));
	(void)n;
	_exit(report.error == -ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN);
}

static int start_command(struct tail *tail)
{
	sigset_t blocked, mask;
	int fds[2];

	if (!tail->command)
		return 0;
	if (pipe2(fds, O_CLOEXEC)) {
		complain("pipe: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	sigemptyset(&blocked);
	for (size_t i = 0; i < 3; i++)
		sigaddset(&blocked, signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, &mask);
	tail->child = fork();
	if (!tail->child)
		run_command(tail, fds[1], &mask);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	close(fds[1]);
	if (tail->child < 0) {
		complain("%s: fork: %s", tail->command[0], strerror(errno));
		return EXIT_FAILURE;
	}
	tail->child_fd = fds[0];
	return 0;
}

/* The reading end is at its end after the exec, or the death, of the child. */
static int read_report(struct tail *tail)
{
	struct kmonitor_filter self = { .target = KMONITOR_TARGET_TREE };
	struct report report;

	if (read(tail->child_fd, &report, sizeof(report)) != sizeof(report)) {
		close(tail->child_fd);
		tail->child_fd = -1;
		/* Killed so early that there is no tree: no EMPTY will come. */
		if (!tail->child_joined)
			tail->done = true;
		return 0;
	}
	switch (report.stage) {
	case STAGE_JOINED:
		tail->child_joined = true;
		return 0;
	case STAGE_NOT_JOINED:
		complain("%s: following it: %s", tail->command[0],
			 kmon_filter_strerror(&self, report.error));
		return EXIT_FAILURE;
	case STAGE_NOT_RUN:
		complain("%s: %s", tail->command[0], strerror(-report.error));
		return 0;
	}
	return EXIT_FAILURE;
}

/* What is left of its reports, and how it ended. */
static int command_status(struct tail *tail)
{
	int ret, status;

	while (tail->child_fd >= 0) {
		ret = read_report(tail);
		if (ret)
			return ret;
	}
	while (waitpid(tail->child, &status, 0) < 0) {
		if (errno == EINTR)
			continue;
		complain("%s: waiting for it: %s", tail->command[0],
			 strerror(errno));
		return EXIT_FAILURE;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   EXIT_SIGNAL(WTERMSIG(status));
}

/* The records. */

/* Reads what is there now, at most a full ring, and then ends. */
static void finish(struct tail *tail)
{
	if (tail->remaining < 0)
		tail->remaining = tail->ring_records;
}

static void finish_if_all_ended(struct tail *tail)
{
	if (!ends_with_targets(tail))
		return;
	for (size_t i = 0; i < tail->nr_targets; i++) {
		if (!tail->targets[i].ended)
			return;
	}
	finish(tail);
}

static void note_end(struct tail *tail, const struct kmonitor_event *event)
{
	uint32_t kind = event->type == KMONITOR_EMPTY ? KMONITOR_TARGET_TREE :
							KMONITOR_TARGET_PROCESS;

	for (size_t i = 0; i < tail->nr_targets; i++) {
		struct target *target = &tail->targets[i];

		if (target->filter.target == kind &&
		    target->filter.id == (uint64_t)event->tgid)
			target->ended = true;
	}
	finish_if_all_ended(tail);
}

/*
 * The exit of a process may be among lost records (an EMPTY never is).  Adding
 * the entry again tells: the kernel gives the same handle as long as it lives.
 */
static void find_lost_ends(struct tail *tail)
{
	for (size_t i = 0; i < tail->nr_targets; i++) {
		struct target *target = &tail->targets[i];
		struct kmonitor_filter again = target->filter;
		int ret;

		if (target->ended ||
		    target->filter.target != KMONITOR_TARGET_PROCESS)
			continue;
		again.handle = 0;
		ret = kmon_filter_add(tail->fd, &again);
		target->ended = ret == -ESRCH ||
				(!ret && again.handle != target->filter.handle);
		/* Another process with the pid of the one that ended. */
		if (!ret && target->ended)
			kmon_filter_del(tail->fd, &again);
	}
	finish_if_all_ended(tail);
}

static int show(struct tail *tail, const struct kmonitor_event *event,
		int64_t wall_offset)
{
	int ret;

	if (!(event->type & (tail->events | STREAM_EVENTS)))
		return 0;
	ret = tail->json ? write_json(tail, event, wall_offset) :
			   write_text(tail, event, wall_offset);
	if (++tail->shown == tail->count)
		tail->done = true;
	return ret;
}

static int handle(struct tail *tail, const struct kmonitor_event *event,
		  int64_t wall_offset)
{
	int ret = show(tail, event, wall_offset);

	switch (event->type) {
	case KMONITOR_LOST:
		tail->lost += event->lost.count;
		if (ends_with_targets(tail))
			find_lost_ends(tail);
		break;
	case KMONITOR_EMPTY:
		if (tail->child > 0 && event->tgid == tail->child) {
			tail->processes = event->empty.members;
			tail->child_ended = true;
			tail->done = true;
		}
		note_end(tail, event);
		break;
	case KMONITOR_PROCESS_EXIT:
		note_end(tail, event);
		break;
	}
	return ret;
}

static int read_batch(struct tail *tail)
{
	static struct kmonitor_event events[BATCH];
	unsigned int room = BATCH;
	int64_t wall_offset;
	int n, ret;

	if (tail->remaining >= 0 && tail->remaining < room)
		room = tail->remaining;
	n = room ? kmon_read(tail->fd, events, room) : -EAGAIN;
	if (n == -EAGAIN && tail->remaining >= 0)
		tail->done = true;
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n < 0) {
		complain("reading records: %s", strerror(-n));
		return EXIT_FAILURE;
	}
	if (tail->remaining >= 0)
		tail->remaining -= n;

	wall_offset = kmon_wall_offset();
	for (int i = 0; i < n && !tail->done; i++) {
		ret = handle(tail, &events[i], wall_offset);
		if (ret)
			return ret;
	}
	return fflush(tail->output) ? write_failed(tail) : 0;
}

/*
 * Without a command any signal ends the run.  A terminal's interrupt also goes
 * to the command, whose end is waited for; what is sent to kmon-tail alone is
 * passed on to it.
 */
static void handle_signal(struct tail *tail)
{
	char signo;

	if (read(signal_pipe[0], &signo, 1) != 1)
		return;
	if (!tail->command)
		finish(tail);
	else if (signo != SIGINT)
		kill(tail->child, signo);
}

static int64_t next_time(const struct tail *tail)
{
	if (tail->remaining >= 0)
		return 0;
	return tail->duration_ns ? tail->start_ns + tail->duration_ns : NEVER;
}

static int watch(struct tail *tail)
{
	struct pollfd fds[] = {
		{ .fd = tail->fd, .events = POLLIN },
		{ .fd = signal_pipe[0], .events = POLLIN },
		{ .fd = tail->child_fd, .events = POLLIN },
		/* Only for the error when the reader of a pipe has gone. */
		{ .fd = fileno(tail->output) },
	};
	int ret;

	while (!tail->done) {
		fds[2].fd = tail->child_fd;
		if (poll(fds, 4, poll_timeout(next_time(tail))) < 0) {
			if (errno == EINTR)
				continue;
			complain("poll: %s", strerror(errno));
			return EXIT_FAILURE;
		}
		if (fds[3].revents & POLLERR) {
			raise(SIGPIPE);
			_exit(EXIT_SIGNAL(SIGPIPE));
		}
		if (fds[1].revents)
			handle_signal(tail);
		if (tail->duration_ns &&
		    now_ns() - tail->start_ns >= tail->duration_ns)
			finish(tail);
		if (tail->child_fd >= 0 && fds[2].revents) {
			ret = read_report(tail);
			if (ret)
				return ret;
		}
		if (fds[0].revents || tail->remaining >= 0) {
			ret = read_batch(tail);
			if (ret)
				return ret;
		}
	}
	return 0;
}

static int run(struct tail *tail)
{
	int status;

	status = open_monitor(tail);
	if (status)
		return status;
	status = add_filters(tail);
	if (status)
		return status;
	status = open_output(tail);
	if (status)
		return status;
	status = catch_signals(tail);
	if (status)
		return status;
	tail->start_ns = now_ns();
	status = start_command(tail);
	if (status)
		return status;
	status = watch(tail);
	if (status)
		return status;
	print_summary(tail);
	if (tail->child_ended ||
	    (tail->command && !tail->child_joined && tail->child_fd < 0))
		return command_status(tail);
	return 0;
}

int main(int argc, char **argv)
{
	struct tail tail = {
		.events = DEFAULT_EVENTS,
		.ring = DEFAULT_RING,
		.child_fd = -1,
		.remaining = -1,
	};
	int status;

	hold_standard_fds();
	setlocale(LC_CTYPE, "");
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &tail);

	status = run(&tail);
	if (tail.output && fclose(tail.output) && !status)
		status = write_failed(&tail);
	free(tail.targets);
	return status;
}
