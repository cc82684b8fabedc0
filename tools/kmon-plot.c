// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmon-plot: draws the life of processes as a picture.
 *
 * source.c brings the records, plot_model.c makes processes of them; at the end
 * plot_svg.c or plot_trace.c writes them.
 */

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exec_args.h"
#include "output.h"
#include "plot.h"
#include "source.h"

struct plotter {
	/* Options of the command line. */
	struct source source;
	bool quiet;
	struct plot_output output;

	struct exec_args args;
	struct plot plot;
};

const char *argp_program_version = "kmon-plot " KMON_VERSION;

/* The command line. */

static const struct argp_option options[] = {
	{ "output", 'o', "FILE", 0,
	  "Write to FILE instead of standard output: a trace for Perfetto if its name ends in .json, otherwise an SVG",
	  3 },
	{ "quiet", 'q', NULL, 0, "Show no totals", 3 },
	{ 0 }
};

static void check(struct argp_state *state, const struct plotter *plotter)
{
	if (!plotter->output.name && isatty(STDOUT_FILENO))
		argp_error(state,
			   "standard output is a terminal: give -o FILE");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct plotter *plotter = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &plotter->source;
		return 0;
	case 'o':
		plotter->output.name = arg;
		return 0;
	case 'q':
		plotter->quiet = true;
		return 0;
	case ARGP_KEY_END:
		check(state, plotter);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const char doc[] =
	"Draw the life of processes: a bar for each, from fork to exit.\n"
	"\vCMD and all its descendants are followed from before CMD's first instruction;\n"
	"kmon-plot ends after the last of them, with CMD's status.  Without CMD it ends\n"
	"with the last process or tree followed, or when interrupted.\n";

static const struct argp_child children[] = { { .argp = &source_argp }, {} };

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "[--] [CMD [ARG...]]",
	.doc = doc,
	.children = children,
};

/* The records. */

static int no_memory(const char *what)
{
	complain("not enough memory for the %s", what);
	return EXIT_FAILURE;
}

static int add(void *tool, const struct shown *shown)
{
	struct plotter *plotter = tool;

	return plot_add(&plotter->plot, shown) ? no_memory("processes") : 0;
}

static int take(void *tool, const struct kmonitor_event *event,
		int64_t wall_offset)
{
	struct plotter *plotter = tool;

	return exec_args_take(&plotter->args, event, wall_offset);
}

/* The picture. */

static int picture_failed(const struct plotter *plotter, int error)
{
	const struct output output = { .name = plotter->output.name };

	return error == -ENOMEM ? no_memory("picture") :
				  output_failed(&output, -error);
}

static bool is_trace(const char *name)
{
	const size_t len = name ? strlen(name) : 0;

	return len >= 5 && !strcmp(name + len - 5, ".json");
}

static int write_picture(struct plotter *plotter)
{
	struct plot_output *output = &plotter->output;
	struct plot *plot = &plotter->plot;
	int ret = plot_output_open(output);

	if (!ret)
		ret = is_trace(output->name) ?
			      plot_write_trace(plot, output->file) :
			      plot_write_svg(plot, output->file);
	if (!ret)
		ret = plot_output_close(output);
	return ret ? picture_failed(plotter, ret) : 0;
}

/* On stderr, for standard output may have the picture. */
static void print_summary(const struct plotter *plotter)
{
	const struct plot *plot = &plotter->plot;

	if (plotter->quiet)
		return;
	fprintf(stderr,
		"kmon-plot: %llu process%s, %llu failed, %llu lost, %.1f s\n",
		(unsigned long long)plot->members,
		plot->members == 1 ? "" : "es",
		(unsigned long long)plot->failed,
		(unsigned long long)plot->lost,
		(double)(plot->last_ns - plot->first_ns) / NSEC_PER_SEC);
}

static int run(struct plotter *plotter)
{
	struct source *source = &plotter->source;
	int ret, status;

	status = source_open(source);
	if (status)
		return status;
	ret = plot_output_check(&plotter->output);
	if (ret)
		return picture_failed(plotter, ret);
	status = source_begin(source, plotter->output.name ? NULL : stdout);
	if (!status)
		status = source_run(source);
	if (!status)
		status = exec_args_flush(&plotter->args);
	if (status)
		return status;

	status = source_status(source);
	if (source->command &&
	    plot_set_command(&plotter->plot, source->command))
		return no_memory("command");
	plotter->plot.lost = source->lost;
	plot_finish(&plotter->plot, source_may_be_one_tree(source));
	ret = write_picture(plotter);
	if (ret)
		return ret;
	print_summary(plotter);
	return status;
}

int main(int argc, char **argv)
{
	struct plotter plotter = { .source = SOURCE_INIT };
	int status;

	hold_standard_fds();
	setlocale(LC_CTYPE, "");
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &plotter);

	plotter.source.report = KMONITOR_REPORT_EXEC_ARGS;
	plotter.args.wanted = true;
	plotter.source.take = take;
	plotter.source.tool = &plotter;
	plotter.args.take = add;
	plotter.args.tool = &plotter;
	status = run(&plotter);
	plot_output_discard(&plotter.output);
	status = source_close(&plotter.source) ?: status;
	plot_free(&plotter.plot);
	return status;
}
