// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plot in the trace event format, which Perfetto and chrome://tracing open:
 * a complete event ("X") for each process and one inside for what it did before
 * its exec, names as metadata ("M"), an instant ("i") for each loss.
 */

#include <errno.h>

#include <json-c/json.h>

#include "common.h"
#include "plot.h"

#define JSON_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
/* Rows are those of a picture of this width. */
#define ROWS_WIDTH 1000

/* All of them take NULL and give it on: memory was short. */

static struct json_object *put(struct json_object *object, const char *key,
			       struct json_object *value)
{
	if (object && value && !json_object_object_add(object, key, value))
		return object;
	json_object_put(value);
	json_object_put(object);
	return NULL;
}

static struct json_object *put_text(struct json_object *object, const char *key,
				    const char *text)
{
	return put(object, key, json_object_new_string(text));
}

static struct json_object *put_number(struct json_object *object,
				      const char *key, int64_t number)
{
	return put(object, key, json_object_new_int64(number));
}

static struct json_object *put_ns(struct json_object *object, const char *key,
				  int64_t ns, double unit)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%.3f", (double)ns / unit);
	return put(object, key,
		   json_object_new_double_s((double)ns / unit, digits));
}

static struct json_object *new_event(const char *phase, const char *name,
				     int32_t pid)
{
	struct json_object *event = json_object_new_object();

	event = put_text(event, "ph", phase);
	event = put_text(event, "name", name);
	event = put_number(event, "pid", pid);
	return put_number(event, "tid", pid);
}

static int write_event(struct json_object *event, bool *first, FILE *file)
{
	const char *text =
		event ? json_object_to_json_string_ext(event, JSON_FLAGS) :
			NULL;

	if (text)
		fprintf(file, "%s%s", *first ? "" : ",\n", text);
	*first = false;
	json_object_put(event);
	return text ? 0 : -ENOMEM;
}

static struct json_object *new_metadata(const char *what, int32_t pid,
					struct json_object *args)
{
	return put(new_event("M", what, pid), "args", args);
}

static int write_names(const struct plot_process *process, bool *first,
		       FILE *file)
{
	static const char *const kinds[] = { "process_name", "thread_name" };
	struct json_object *args;
	char name[PLOT_WORDS_MAX];
	int ret = 0;

	plot_name(process->comm, name);
	for (int i = 0; !ret && i < 2; i++) {
		args = put_text(json_object_new_object(), "name", name);
		ret = write_event(new_metadata(kinds[i], process->pid, args),
				  first, file);
	}
	/* Parents first, as in the SVG. */
	args = put_number(json_object_new_object(), "sort_index",
			  (int64_t)process->row);
	return ret   ?:
		       write_event(new_metadata("process_sort_index",
						process->pid, args),
				   first, file);
}

static struct json_object *new_args(const struct plot_process *process)
{
	struct json_object *args = json_object_new_object();
	char words[PLOT_WORDS_MAX];

	plot_end_words(process, words);
	args = put_number(args, "ppid", process->ppid);
	args = put_text(args, "end", words);
	if (process->path)
		args = put_text(args, "path", process->path);
	if (process->args)
		args = put_text(args, "args", process->args);
	if (process->end != PLOT_ENDED || process->redacted)
		return args;
	args = put_number(args, "status", process->exit.status);
	args = put_ns(args, "user_ms", (int64_t)process->exit.utime_ns, 1e6);
	args = put_ns(args, "system_ms", (int64_t)process->exit.stime_ns, 1e6);
	return put_number(args, "maxrss_kib",
			  (int64_t)process->exit.maxrss_kib);
}

static struct json_object *put_span(struct json_object *event,
				    const struct plot *plot, int64_t from_ns,
				    int64_t to_ns)
{
	event = put_ns(event, "ts", from_ns - plot->first_ns, 1e3);
	return put_ns(event, "dur", to_ns - from_ns, 1e3);
}

static int write_process(const struct plot *plot,
			 const struct plot_process *process, bool *first,
			 FILE *file)
{
	struct json_object *event;
	char name[PLOT_WORDS_MAX];
	int ret = write_names(process, first, file);

	if (ret)
		return ret;
	plot_name(process->comm, name);
	event = new_event("X", name, process->pid);
	event = put_text(event, "cat",
			 plot_failed(process) ? "process,failed" : "process");
	event = put_span(event, plot, process->begin_ns, process->end_ns);
	event = put(event, "args", new_args(process));
	if (plot_failed(process))
		event = put_text(event, "cname", "terrible");
	ret = write_event(event, first, file);
	if (ret || !process->exec_ns || process->older)
		return ret;
	event = new_event("X", "before exec", process->pid);
	event = put_text(event, "cat", "fork");
	event = put_span(event, plot, process->begin_ns, process->exec_ns);
	return write_event(event, first, file);
}

static int write_loss(const struct plot *plot, const struct plot_loss *loss,
		      bool *first, FILE *file)
{
	struct json_object *event = new_event("i", "records lost", 0);
	struct json_object *args = json_object_new_object();

	args = put_number(args, "count", (int64_t)loss->count);
	args = put_ns(args, "until_us", loss->last_ns - plot->first_ns, 1e3);
	event = put_text(event, "s", "g");
	event = put_ns(event, "ts", loss->first_ns - plot->first_ns, 1e3);
	return write_event(put(event, "args", args), first, file);
}

int plot_write_trace(struct plot *plot, FILE *file)
{
	bool first = true;
	int ret = plot_lay_out(plot, ROWS_WIDTH);

	fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n", file);
	for (size_t i = 0; !ret && i < plot->nr; i++)
		ret = write_process(plot, &plot->processes[i], &first, file);
	for (size_t i = 0; !ret && i < plot->nr_losses; i++)
		ret = write_loss(plot, &plot->losses[i], &first, file);
	fputs("\n]}\n", file);
	return ret;
}
