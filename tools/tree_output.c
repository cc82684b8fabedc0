// SPDX-License-Identifier: GPL-2.0-only
/* What kmon-tree writes, see tree_output.h. */

#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "common.h"
#include "tree_output.h"

#define JSON_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
#define STATUS_SIZE 64
#define MEMORY_SIZE 32
#define INDENT 2
#define DEPTH_MAX 40
#define NO_USAGE "%10s %10s %7s  ", "-", "-", "-"

static int write_failed(const struct tree_output *output)
{
	/* With SIGPIPE ignored: as quiet as the signal would be. */
	if (errno == EPIPE)
		_exit(EXIT_SIGNAL(SIGPIPE));
	complain("writing %s: %s",
		 output->name ? output->name : "standard output",
		 strerror(errno));
	return EXIT_FAILURE;
}

int open_tree_output(struct tree_output *output)
{
	output->file = output->name ? fopen(output->name, "we") : stdout;
	if (!output->file) {
		complain("-o %s: %s", output->name, strerror(errno));
		return EXIT_FAILURE;
	}
	if (strcmp(nl_langinfo(CODESET), "UTF-8"))
		output->text_flags = KMON_TEXT_ASCII;
	if (output->quiet || output->json)
		return 0;
	fprintf(output->file, "%7s %10s %10s %7s  %s\n", "PID", "RUN", "CPU",
		"PEAK", "PROCESS");
	return flush_tree_output(output);
}

int flush_tree_output(struct tree_output *output)
{
	return fflush(output->file) ? write_failed(output) : 0;
}

int close_tree_output(struct tree_output *output)
{
	return output->file && fclose(output->file) ? write_failed(output) : 0;
}

static double seconds(uint64_t ns)
{
	return (double)ns / NSEC_PER_SEC;
}

/* Between two clocks' readings that may be rounded apart. */
static uint64_t run_ns(const struct kmonitor_event *event)
{
	return event->time_ns > event->start_ns ?
		       event->time_ns - event->start_ns :
		       0;
}

static const char *memory(uint64_t kib, char text[MEMORY_SIZE])
{
	if (kib < 1024)
		snprintf(text, MEMORY_SIZE, "%lluK", (unsigned long long)kib);
	else if (kib < 1024 * 1024)
		snprintf(text, MEMORY_SIZE, "%.1fM", (double)kib / 1024);
	else
		snprintf(text, MEMORY_SIZE, "%.1fG", (double)kib / 1024 / 1024);
	return text;
}

/* The end of a line: a process, indented, and what is to be said of it. */
static int write_process(struct tree_output *output, const char comm[16],
			 unsigned int depth, const char *what)
{
	char name[KMON_ESCAPE_MAX(16)];

	if (depth > DEPTH_MAX)
		depth = DEPTH_MAX;
	kmon_escape(comm, 16, output->text_flags, name, sizeof(name));
	if (fprintf(output->file, "%*s%s: %s\n", (int)depth * INDENT, "",
		    *name ? name : "?", what) < 0)
		return write_failed(output);
	return 0;
}

int write_life(struct tree_output *output, int32_t pid, const char comm[16],
	       unsigned int depth, const char *what)
{
	if (output->quiet || output->json)
		return 0;
	fprintf(output->file, "%7d ", pid);
	fprintf(output->file, NO_USAGE);
	return write_process(output, comm, depth, what);
}

int write_loss(struct tree_output *output, uint64_t count)
{
	if (output->quiet || output->json)
		return 0;
	if (fprintf(output->file, "*** LOST %llu record%s ***\n",
		    (unsigned long long)count, count == 1 ? "" : "s") < 0)
		return write_failed(output);
	return 0;
}

/* Takes the object, or NULL if there was no memory for it. */
static int write_json(struct tree_output *output, struct json_object *object)
{
	const char *text = NULL;
	int n = 0;

	if (object)
		text = json_object_to_json_string_ext(object, JSON_FLAGS);
	if (text)
		n = fprintf(output->file, "%s\n", text);
	json_object_put(object);
	if (n < 0)
		return write_failed(output);
	if (text)
		return 0;
	complain("not enough memory for a record");
	return EXIT_FAILURE;
}

static void add_number(struct json_object *object, const char *name,
		       uint64_t number)
{
	json_object_object_add(object, name, json_object_new_uint64(number));
}

static void add_bool(struct json_object *object, const char *name, bool value)
{
	json_object_object_add(object, name, json_object_new_boolean(value));
}

static int write_json_end(struct tree_output *output,
			  const struct kmonitor_event *event,
			  unsigned int depth, bool known)
{
	struct json_object *object =
		kmon_json_event(event, output->wall_offset);

	if (!object)
		return write_json(output, NULL);
	add_number(object, "depth", depth);
	add_bool(object, "end_known", known);
	if (known)
		add_number(object, "run_ns", run_ns(event));
	else
		json_object_object_del(object, "exit");
	return write_json(output, object);
}

static int write_text_end(struct tree_output *output,
			  const struct kmonitor_event *event,
			  unsigned int depth)
{
	const struct kmonitor_exit *exit = &event->exit;
	char status[STATUS_SIZE] = "ended, not yours to see";
	char peak[MEMORY_SIZE];

	fprintf(output->file, "%7d %9.3fs ", event->tgid,
		seconds(run_ns(event)));
	if (event->flags & KMONITOR_EVENT_REDACTED) {
		fprintf(output->file, "%10s %7s  ", "-", "-");
	} else {
		kmon_format_status(exit->status, status, sizeof(status));
		fprintf(output->file, "%9.3fs %7s  ",
			seconds(exit->utime_ns + exit->stime_ns),
			memory(exit->maxrss_kib, peak));
	}
	return write_process(output, event->comm, depth, status);
}

int write_end(struct tree_output *output, const struct kmonitor_event *event,
	      unsigned int depth, bool known)
{
	if (output->quiet)
		return 0;
	if (output->json)
		return write_json_end(output, event, depth, known);
	return known ? write_text_end(output, event, depth) :
		       write_life(output, event->tgid, event->comm, depth,
				  "end unknown");
}

static int write_json_totals(struct tree_output *output,
			     const struct tree_totals *totals)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		return write_json(output, NULL);
	json_object_object_add(object, "type", json_object_new_string("end"));
	add_bool(object, "empty", totals->empty);
	add_number(object, "processes", totals->processes);
	add_number(object, "failed", totals->failed);
	add_number(object, "left", totals->left);
	add_number(object, "unknown", totals->unknown);
	add_number(object, "lost", totals->lost);
	add_number(object, "wall_ns", totals->wall_ns);
	add_number(object, "utime_ns", totals->utime_ns);
	add_number(object, "stime_ns", totals->stime_ns);
	add_number(object, "maxrss_kib", totals->maxrss_kib);
	return write_json(output, object);
}

static int write_text_totals(struct tree_output *output,
			     const struct tree_totals *totals)
{
	char peak[MEMORY_SIZE];

	if (totals->empty)
		fputs("empty: ", output->file);
	else
		fprintf(output->file, "not empty, %llu left: ",
			(unsigned long long)totals->left);
	fprintf(output->file, "%llu process%s%s, %llu failed",
		(unsigned long long)totals->processes,
		totals->processes == 1 ? "" : "es",
		totals->empty ? "" : " ended",
		(unsigned long long)totals->failed);
	if (totals->lost || totals->unknown)
		fprintf(output->file, ", %llu records lost, %llu ends unknown",
			(unsigned long long)totals->lost,
			(unsigned long long)totals->unknown);
	if (fprintf(output->file, ", %.3fs, cpu %.3fs, peak %s\n",
		    seconds(totals->wall_ns),
		    seconds(totals->utime_ns + totals->stime_ns),
		    memory(totals->maxrss_kib, peak)) < 0)
		return write_failed(output);
	return 0;
}

int write_totals(struct tree_output *output, const struct tree_totals *totals)
{
	if (output->quiet)
		return 0;
	return output->json ? write_json_totals(output, totals) :
			      write_text_totals(output, totals);
}
