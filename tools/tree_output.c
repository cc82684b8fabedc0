// SPDX-License-Identifier: GPL-2.0-only
/* The output of kmon-tree, see tree_output.h. */

#include <errno.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "common.h"
#include "tree_output.h"

#define STATUS_SIZE 64
#define INDENT 2
#define DEPTH_MAX 40
#define NO_USAGE "%10s %10s %7s  ", "-", "-", "-"

int write_header(struct tree_output *output)
{
	if (output->quiet || output->json)
		return 0;
	fprintf(output->to.file, "%7s %10s %10s %7s  %s\n", "PID", "RUN", "CPU",
		"PEAK", "PROCESS");
	return output_flush(&output->to);
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

/* The end of a line: a process, indented, and what is to be said of it. */
static int write_process(struct tree_output *output, const char comm[16],
			 unsigned int depth, const char *what)
{
	char name[KMON_ESCAPE_MAX(16)];

	if (depth > DEPTH_MAX)
		depth = DEPTH_MAX;
	kmon_escape(comm, 16, output->to.text_flags, name, sizeof(name));
	if (fprintf(output->to.file, "%*s%s: %s\n", (int)depth * INDENT, "",
		    *name ? name : "?", what) < 0)
		return output_failed(&output->to, errno);
	return 0;
}

int write_life(struct tree_output *output, int32_t pid, const char comm[16],
	       unsigned int depth, const char *what)
{
	if (output->quiet || output->json)
		return 0;
	fprintf(output->to.file, "%7d ", pid);
	fprintf(output->to.file, NO_USAGE);
	return write_process(output, comm, depth, what);
}

int write_loss(struct tree_output *output, uint64_t count)
{
	if (output->quiet || output->json)
		return 0;
	if (fprintf(output->to.file, "*** LOST %llu record%s ***\n",
		    (unsigned long long)count, count == 1 ? "" : "s") < 0)
		return output_failed(&output->to, errno);
	return 0;
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
		return output_json(&output->to, NULL);
	add_number(object, "depth", depth);
	add_bool(object, "end_known", known);
	if (known)
		add_number(object, "run_ns", run_ns(event));
	else
		json_object_object_del(object, "exit");
	return output_json(&output->to, object);
}

static int write_text_end(struct tree_output *output,
			  const struct kmonitor_event *event,
			  unsigned int depth)
{
	const struct kmonitor_exit *exit = &event->exit;
	char status[STATUS_SIZE] = "ended, not yours to see";
	char peak[KMON_MEMORY_MAX] = "";

	fprintf(output->to.file, "%7d %9.3fs ", event->tgid,
		seconds(run_ns(event)));
	if (event->flags & KMONITOR_EVENT_REDACTED) {
		fprintf(output->to.file, "%10s %7s  ", "-", "-");
	} else {
		kmon_format_status(exit->status, status, sizeof(status));
		kmon_format_memory(exit->maxrss_kib, peak, sizeof(peak));
		fprintf(output->to.file, "%9.3fs %7s  ",
			seconds(exit->utime_ns + exit->stime_ns), peak);
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
		return output_json(&output->to, NULL);
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
	return output_json(&output->to, object);
}

static int write_text_totals(struct tree_output *output,
			     const struct tree_totals *totals)
{
	char peak[KMON_MEMORY_MAX] = "";

	kmon_format_memory(totals->maxrss_kib, peak, sizeof(peak));
	if (totals->empty)
		fputs("empty: ", output->to.file);
	else
		fprintf(output->to.file, "not empty, %llu left: ",
			(unsigned long long)totals->left);
	fprintf(output->to.file, "%llu process%s%s, %llu failed",
		(unsigned long long)totals->processes,
		totals->processes == 1 ? "" : "es",
		totals->empty ? "" : " ended",
		(unsigned long long)totals->failed);
	if (totals->lost || totals->unknown)
		fprintf(output->to.file,
			", %llu records lost, %llu ends unknown",
			(unsigned long long)totals->lost,
			(unsigned long long)totals->unknown);
	if (fprintf(output->to.file, ", %.3fs, cpu %.3fs, peak %s\n",
		    seconds(totals->wall_ns),
		    seconds(totals->utime_ns + totals->stime_ns), peak) < 0)
		return output_failed(&output->to, errno);
	return 0;
}

int write_totals(struct tree_output *output, const struct tree_totals *totals)
{
	if (output->quiet)
		return 0;
	return output->json ? write_json_totals(output, totals) :
			      write_text_totals(output, totals);
}
