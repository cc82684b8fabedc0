// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmon-tail: shows the life of processes as it happens, or as it was recorded.
 *
 * source.c brings the records, exec_args.c puts arguments to their exec; here
 * they are chosen and written.
 */

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "exec_args.h"
#include "metrics.h"
#include "output.h"
#include "source.h"
#include "template.h"

#define EVENT_NAMES                                                    \
	"fork, exec, exit, thread, thread-exit, abort, thread-abort, " \
	"coredump, exec-failed, cred, comm, sid, ptrace"
#define FAILURES \
	(KMONITOR_PROCESS_EXIT | KMONITOR_PROCESS_ABORT | KMONITOR_EXEC_FAILED)
#define THREADS (KMONITOR_THREAD_CREATE | KMONITOR_THREAD_EXIT)
#define NR_TYPES 32
#define INDENT 2

struct tail {
	/* Options of the command line. */
	struct source source;
	uint32_t events;
	bool failed_only;
	bool threads;
	bool exec_args;
	bool indent;
	bool relative;
	bool json;
	bool line_buffered;
	bool quiet;
	bool stats;
	bool grep;
	regex_t regex;
	uint64_t parent;
	uint64_t count;
	struct output output;
	const char *metrics_name;
	struct line_template *template;

	/* The state of the run. */
	bool colour;
	struct exec_args args;
	struct kmon_table *table;
	int64_t start_ns;
	int64_t lag_ns;

	/* The totals. */
	uint64_t shown;
	uint64_t by_type[NR_TYPES];
};

const char *argp_program_version = "kmon-tail " KMON_VERSION;

/* The command line. */

enum { OPTION_SNAPSHOT = 512, OPTION_METRICS };

static const struct argp_option options[] = {
	{ "events", 'e', "LIST", 0,
	  "Show these kinds, separated by commas, of " EVENT_NAMES
	  " (default: fork,exec,exit)",
	  2 },
	{ "failed", 'x', NULL, 0,
	  "Show failures only: exits with another status than 0, deaths by signal, execs that failed",
	  2 },
	{ "grep", 'g', "REGEX", 0,
	  "Show records whose name or arguments match REGEX", 2 },
	{ "parent", 'P', "PID", 0, "Show records of children of PID", 2 },
	{ "threads", 'H', NULL, 0, "Show threads, too", 2 },
	{ "exec-args", 'A', NULL, 0, "Show path and arguments of each exec",
	  2 },
	{ "snapshot", OPTION_SNAPSHOT, NULL, 0,
	  "Show the processes that exist first", 2 },
	{ "tree", 'i', NULL, 0, "Indent each record by its depth", 3 },
	{ "relative", 'r', NULL, 0, "Show seconds since the first record", 3 },
	{ "format", 'F', "TEMPLATE", 0,
	  "Write lines of these fields: " TEMPLATE_FIELDS, 3 },
	{ "json", 'j', NULL, 0, "Write one JSON object a line", 3 },
	{ "output", 'o', "FILE", 0, "Write to FILE instead of standard output",
	  3 },
	{ "line-buffered", 'l', NULL, 0, "Write each line at once", 3 },
	{ "quiet", 'q', NULL, 0, "Show no records", 3 },
	{ "stats", 'S', NULL, 0, "Print a summary at the end", 3 },
	{ "metrics", OPTION_METRICS, "FILE", 0,
	  "Keep counters in FILE, as text for Prometheus", 3 },
	{ "count", 'n', "COUNT", 0, "Stop after COUNT records", 4 },
	{ 0 }
};

static void parse_events(struct argp_state *state, struct tail *tail,
			 const char *text)
{
	char *list = strdup(text), *rest = list, *name;
	uint32_t type;

	if (!list)
		argp_failure(state, EXIT_FAILURE, ENOMEM, "-e %s", text);
	tail->events = 0;
	while ((name = strsep(&rest, ","))) {
		type = kmon_event_by_name(name);
		if (!type || type & STREAM_EVENTS)
			argp_error(state, "-e %s: '%s' is none of " EVENT_NAMES,
				   text, name);
		tail->events |= type;
	}
	free(list);
}

static void parse_regex(struct argp_state *state, struct tail *tail,
			const char *text)
{
	char reason[256];
	int error;

	if (tail->grep)
		argp_error(state, "-g %s: the second one", text);
	error = regcomp(&tail->regex, text, REG_EXTENDED | REG_NOSUB);
	if (error) {
		regerror(error, &tail->regex, reason, sizeof(reason));
		argp_error(state, "-g %s: %s", text, reason);
	}
	tail->grep = true;
}

static void parse_template(struct argp_state *state, struct tail *tail,
			   const char *text)
{
	const char *error;

	template_free(tail->template);
	tail->template = template_new(text, &error);
	if (!tail->template)
		argp_error(state, "-F %s: %s", text, error);
}

static void check(struct argp_state *state, const struct tail *tail)
{
	const struct source *source = &tail->source;

	if (tail->json && tail->template)
		argp_error(state, "-F and -j: give one of them");
	if (tail->json && tail->indent)
		argp_error(state, "-i is of lines for people: not with -j");
	if (tail->template && tail->indent)
		argp_error(state, "-i is of the usual lines: not with -F");
	if (source->from_name && tail->metrics_name)
		argp_error(state, "--metrics is of the running system");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct tail *tail = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &tail->source;
		return 0;
	case 'e':
		parse_events(state, tail, arg);
		return 0;
	case 'x':
		tail->failed_only = true;
		return 0;
	case 'g':
		parse_regex(state, tail, arg);
		return 0;
	case 'P':
		if (!parse_number(arg, INT_MAX, &tail->parent))
			argp_error(state, "-P %s: not a process id", arg);
		return 0;
	case 'H':
		tail->threads = true;
		return 0;
	case 'A':
		tail->exec_args = true;
		return 0;
	case OPTION_SNAPSHOT:
		tail->source.snapshot = true;
		return 0;
	case 'i':
		tail->indent = true;
		return 0;
	case 'r':
		tail->relative = true;
		return 0;
	case 'F':
		parse_template(state, tail, arg);
		return 0;
	case 'j':
		tail->json = true;
		return 0;
	case 'o':
		tail->output.name = arg;
		return 0;
	case 'l':
		tail->line_buffered = true;
		return 0;
	case 'q':
		tail->quiet = true;
		return 0;
	case 'S':
		tail->stats = true;
		return 0;
	case OPTION_METRICS:
		tail->metrics_name = arg;
		return 0;
	case 'n':
		if (!parse_number(arg, UINT64_MAX, &tail->count))
			argp_error(state, "-n %s: not a number above 0", arg);
		return 0;
	case ARGP_KEY_END:
		check(state, tail);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const char doc[] =
	"Show the life of processes as it happens: their forks, execs and exits.\n"
	"\vCMD and all its descendants are followed from before CMD's first instruction;\n"
	"kmon-tail ends after the last of them, with CMD's status.  Without CMD it ends\n"
	"with the last process or tree followed, or when interrupted.\n";

static const struct argp_child children[] = { { .argp = &source_argp }, {} };

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "[--] [CMD [ARG...]]",
	.doc = doc,
	.children = children,
};

/* Which records are shown. */

/* The kinds that the options ask for. */
static uint32_t wanted_events(const struct tail *tail)
{
	uint32_t events = tail->events;

	if (!events)
		events = tail->failed_only ? FAILURES : tail->source.events;
	return tail->threads ? events | THREADS : events;
}

static bool is_failure(const struct kmonitor_event *event)
{
	switch (event->type) {
	case KMONITOR_PROCESS_EXIT:
	case KMONITOR_THREAD_EXIT:
		return event->exit.status;
	case KMONITOR_EMPTY:
		return event->empty.failed;
	case KMONITOR_PROCESS_ABORT:
	case KMONITOR_THREAD_ABORT:
	case KMONITOR_COREDUMP:
	case KMONITOR_EXEC_FAILED:
		return true;
	}
	return false;
}

/* The name, and the arguments as one text. */
static bool matches(const struct tail *tail, const struct shown *shown)
{
	char text[KMON_ARGS_MAX + 1];

	snprintf(text, sizeof(text), "%.*s", (int)sizeof(shown->event.comm),
		 shown->event.comm);
	if (!regexec(&tail->regex, text, 0, NULL, 0))
		return true;
	if (!shown->args_len)
		return false;
	memcpy(text, shown->args, shown->args_len);
	for (size_t i = 0; i + 1 < shown->args_len; i++) {
		if (!text[i])
			text[i] = ' ';
	}
	text[shown->args_len] = '\0';
	return !regexec(&tail->regex, text, 0, NULL, 0);
}

/* A loss is shown whatever was asked for. */
static bool is_shown(const struct tail *tail, const struct shown *shown)
{
	const struct kmonitor_event *event = &shown->event;

	if (event->type == KMONITOR_LOST)
		return true;
	if (!(event->type & (wanted_events(tail) | STREAM_EVENTS)))
		return false;
	if (tail->failed_only && !is_failure(event))
		return false;
	if (tail->parent && event->ppid != (int64_t)tail->parent)
		return false;
	return !tail->grep || matches(tail, shown);
}

/* The output. */

static bool wants_colour(FILE *file)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(fileno(file)) && !(no_color && *no_color) &&
	       !(term && !strcmp(term, "dumb"));
}

static int open_output(struct tail *tail)
{
	static char buffer[1 << 16];
	char line[KMON_LINE_MAX];
	const int status = output_open(&tail->output);
	FILE *file = tail->output.file;

	if (status || source_begin(&tail->source, tail->quiet ? NULL : file))
		return EXIT_FAILURE;
	if (isatty(fileno(file)))
		tail->line_buffered = true;
	setvbuf(file, buffer, tail->line_buffered ? _IOLBF : _IOFBF,
		sizeof(buffer));
	tail->colour = wants_colour(file);
	if (tail->relative)
		tail->output.text_flags |= KMON_TEXT_RELATIVE;
	if (tail->json || tail->template || tail->quiet)
		return 0;
	kmon_format_header(line, sizeof(line));
	if (fprintf(file, "%s\n", line) < 0)
		return output_failed(&tail->output, errno);
	return output_flush(&tail->output);
}

static int write_json(struct tail *tail, const struct shown *shown)
{
	struct json_object *object =
		kmon_json_event(&shown->event, shown->wall_offset);

	if (object && tail->exec_args && shown->args_len &&
	    kmon_json_add_args(object, shown->args, shown->args_len)) {
		json_object_put(object);
		object = NULL;
	}
	return output_json(&tail->output, object);
}

static const char *colour_of(const struct kmonitor_event *event)
{
	if (event->type == KMONITOR_LOST)
		return "\033[1;31m";
	return is_failure(event) ? "\033[31m" : "";
}

static unsigned int indentation(const struct tail *tail,
				const struct kmonitor_event *event)
{
	unsigned int depth =
		tail->indent ? kmon_table_depth(tail->table, event->tgid) : 0;

	return KMON_TEXT_INDENT(depth < 40 ? depth * INDENT : 40 * INDENT);
}

static int write_text(struct tail *tail, const struct shown *shown,
		      unsigned int indent)
{
	const char *colour = tail->colour ? colour_of(&shown->event) : "";
	char args[KMON_ARGS_TEXT_MAX];
	char line[KMON_LINE_MAX];

	kmon_format_event(&shown->event, shown->wall_offset,
			  tail->output.text_flags | indent, line, sizeof(line));
	kmon_format_args(shown->args, tail->exec_args ? shown->args_len : 0,
			 tail->output.text_flags, args, sizeof(args));
	if (fprintf(tail->output.file, "%s%s%s%s%s%s\n", colour, line,
		    *args ? ": " : "", args,
		    *args && shown->truncated ? " ..." : "",
		    *colour ? "\033[0m" : "") < 0)
		return output_failed(&tail->output, errno);
	return 0;
}

static int write_record(struct tail *tail, const struct shown *shown,
			unsigned int indent)
{
	if (tail->json)
		return write_json(tail, shown);
	/* A loss is loud whatever fields were asked for. */
	if (!tail->template || shown->event.type == KMONITOR_LOST)
		return write_text(tail, shown, indent);
	if (template_write(tail->template, tail->output.file, shown,
			   tail->output.text_flags))
		return output_failed(&tail->output, errno);
	return 0;
}

/* With -r the first record sets the zero. */
static int64_t offset_of(struct tail *tail, const struct kmonitor_event *event,
			 int64_t wall_offset)
{
	if (!tail->relative || tail->json)
		return wall_offset;
	if (!tail->start_ns)
		tail->start_ns = (int64_t)event->time_ns;
	return -tail->start_ns;
}

static int update_table(struct tail *tail, const struct kmonitor_event *event)
{
	struct kmonitor_event subject;
	int ret = 0;

	if (event->type == KMONITOR_PROCESS_FORK &&
	    !source_follows_child(event)) {
		subject = source_subject(event);
		event = &subject;
	}
	if (tail->table)
		ret = kmon_table_update(tail->table, event);
	if (!ret)
		return 0;
	complain("-i: %s", strerror(-ret));
	return EXIT_FAILURE;
}

/* A whole record, with its arguments. */
static int show(void *tool, const struct shown *shown)
{
	struct tail *tail = tool;
	const bool visible = is_shown(tail, shown);
	unsigned int indent = 0;
	int status;

	/* One that was held back may come when all that were asked for are shown. */
	if (tail->count && tail->shown == tail->count)
		return 0;
	/* The end of a process takes it out of the table. */
	if (visible && shown->event.type == KMONITOR_PROCESS_EXIT)
		indent = indentation(tail, &shown->event);
	status = update_table(tail, &shown->event);
	if (status || !visible)
		return status;
	if (shown->event.type != KMONITOR_PROCESS_EXIT)
		indent = indentation(tail, &shown->event);
	tail->by_type[__builtin_ctz(shown->event.type | 1U << 31)]++;
	if (!tail->quiet)
		status = write_record(tail, shown, indent);
	if (++tail->shown == tail->count)
		tail->source.done = true;
	return status;
}

static int take(void *tool, const struct kmonitor_event *event,
		int64_t wall_offset)
{
	struct tail *tail = tool;
	struct timespec now;

	if (tail->metrics_name) {
		clock_gettime(CLOCK_BOOTTIME, &now);
		tail->lag_ns = now.tv_sec * NSEC_PER_SEC + now.tv_nsec -
			       (int64_t)event->time_ns;
	}
	return exec_args_take(&tail->args, event,
			      offset_of(tail, event, wall_offset));
}

static int idle(void *tool)
{
	struct tail *tail = tool;
	const int status = tail->source.done ? exec_args_flush(&tail->args) : 0;

	return status ?: output_flush(&tail->output);
}

static int tick(void *tool)
{
	struct tail *tail = tool;
	struct kmonitor_stats stats = {};
	int ret = kmon_stats(tail->source.fd, &stats);

	if (!ret)
		ret = write_metrics(tail->metrics_name, &stats, tail->lag_ns);
	if (!ret)
		return 0;
	complain("--metrics %s: %s", tail->metrics_name, strerror(-ret));
	return EXIT_FAILURE;
}

/* The end. */

static void print_types(const struct tail *tail)
{
	const char *separator = "kmon-tail: ";

	for (unsigned int i = 0; i < NR_TYPES; i++) {
		const char *name = kmon_event_name(1U << i);

		if (!tail->by_type[i])
			continue;
		fprintf(stderr, "%s%s %llu", separator, name ? name : "other",
			(unsigned long long)tail->by_type[i]);
		separator = ", ";
	}
	if (tail->shown)
		fputc('\n', stderr);
}

/* On stderr, so that it does not mix with records that go elsewhere. */
static void print_summary(const struct tail *tail)
{
	const struct source *source = &tail->source;

	if (!tail->stats && (tail->quiet || !source->command))
		return;
	fprintf(stderr, "kmon-tail: %llu record%s, ",
		(unsigned long long)tail->shown, tail->shown == 1 ? "" : "s");
	if (source->child_ended)
		fprintf(stderr, "%u process%s, ", source->totals.members,
			source->totals.members == 1 ? "" : "es");
	fprintf(stderr, "%llu lost, %.1f s\n", (unsigned long long)source->lost,
		source_seconds(source));
	if (tail->stats)
		print_types(tail);
}

static void configure(struct tail *tail)
{
	struct source *source = &tail->source;

	source->events = wanted_events(tail);
	/* The table must know who is whose child. */
	if (tail->indent)
		source->events |= KMONITOR_PROCESS_FORK | KMONITOR_PROCESS_EXIT;
	if (tail->failed_only && !tail->indent)
		source->filter_flags |= KMONITOR_FILTER_FAILED_ONLY;
	if (tail->template && template_has_args(tail->template))
		tail->exec_args = true;
	tail->args.wanted = tail->exec_args || tail->grep;
	if (tail->args.wanted)
		source->report |= KMONITOR_REPORT_EXEC_ARGS;
	if (tail->metrics_name)
		source->tick = tick;
	source->take = take;
	source->idle = idle;
	source->tool = tail;
	tail->args.take = show;
	tail->args.tool = tail;
}

static int run(struct tail *tail)
{
	int status;

	if (tail->indent && kmon_table_new(-1, 0, &tail->table)) {
		complain("-i: %s", strerror(ENOMEM));
		return EXIT_FAILURE;
	}
	status = source_open(&tail->source);
	if (tail->template && tail->source.foreign)
		template_set_foreign(tail->template);
	if (!status)
		status = open_output(tail);
	if (!status && tail->metrics_name)
		status = tick(tail);
	if (!status)
		status = source_run(&tail->source);
	if (!status)
		status = exec_args_flush(&tail->args);
	if (!status)
		status = output_close(&tail->output);
	if (!status && tail->metrics_name)
		status = tick(tail);
	if (!status) {
		status = source_status(&tail->source);
		print_summary(tail);
	}
	return status;
}

int main(int argc, char **argv)
{
	struct tail tail = { .source = SOURCE_INIT };
	int status;

	hold_standard_fds();
	setlocale(LC_CTYPE, "");
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &tail);

	configure(&tail);
	status = run(&tail);
	status = source_close(&tail.source) ?: status;
	kmon_table_free(tail.table);
	template_free(tail.template);
	if (tail.grep)
		regfree(&tail.regex);
	return status;
}
