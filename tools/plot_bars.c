// SPDX-License-Identifier: GPL-2.0-only
/* The bars of processes in an SVG: one line of it for each. */

#include <string.h>

#include "common.h"
#include "plot.h"

#define LABEL_SIZE 11.0
#define LABEL_GAP 4.0
/* The tip of a bar whose end is not seen. */
#define TIP 5.0
/* The space between bars of one row. */
#define BAR_GAP 0.4
/* Narrower ones are not divided. */
#define DIVIDED_MIN 4.0
/* With more processes less of the arguments is shown of each. */
#define MANY 1000
#define ARGS_FEW 400
#define ARGS_MANY 120

struct bar {
	const struct plot_process *process;
	double left;
	double right;
	double top;
	double height;
};

double plot_row_height(const struct plot *plot)
{
	const double rows = (double)plot->nr_rows;

	if (!plot->packed)
		return rows <= 40 ? 19 : 15;
	if (rows * 18 <= 900)
		return 18;
	return rows * 3 <= 900 ? 900 / rows : 3;
}

static struct bar bar_of(const struct plot_bars *bars,
			 const struct plot_process *process)
{
	const double row = bars->row_height;
	const double gap = row > 12 ? 3 : row / 5;

	return (struct bar){
		.process = process,
		.left = bars->left + process->left,
		.right = bars->left + process->right - BAR_GAP,
		.top = bars->top + (double)process->row * row + gap / 2,
		.height = row - gap,
	};
}

static void put_hover(const struct plot *plot,
		      const struct plot_process *process, FILE *file)
{
	char words[PLOT_WORDS_MAX];

	plot_name(process->comm, words);
	fputs("<title>", file);
	plot_put_text(file, words, SIZE_MAX);
	fprintf(file, ", pid %d, parent %d", process->pid, process->ppid);
	if (process->args) {
		fputc('\n', file);
		plot_put_text(file, process->args,
			      plot->nr > MANY ? ARGS_MANY : ARGS_FEW);
	}
	plot_duration(process->end_ns - process->begin_ns, words);
	fprintf(file, "\n%s", words);
	plot_duration(process->begin_ns - plot->first_ns, words);
	fprintf(file, process->older ? ", began before" : " from %s", words);
	if (process->end == PLOT_ENDED && !process->redacted) {
		plot_duration(plot_cpu_ns(process), words);
		fprintf(file, ", CPU %s, max RSS %.1f MiB", words,
			(double)process->exit.maxrss_kib / 1024);
	}
	plot_end_words(process, words);
	fprintf(file, "\n%s</title>", words);
}

static void put_rect(const struct bar *bar, const char *class, double left,
		     double right, FILE *file)
{
	fprintf(file,
		"<rect%s x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
		class, left, bar->top, right - left, bar->height);
}

/* Open where the process goes on beyond what was seen. */
static void put_open(const struct bar *bar, const char *class, bool open_left,
		     bool open_right, FILE *file)
{
	const double half = bar->height / 2;

	fprintf(file, "<path%s d=\"M%.1f %.1fH%.1f", class, bar->left, bar->top,
		bar->right);
	if (open_right)
		fprintf(file, "l%.1f %.1fl%.1f %.1f", TIP, half, -TIP, half);
	else
		fprintf(file, "v%.1f", bar->height);
	fprintf(file, "H%.1f", bar->left);
	if (open_left)
		fprintf(file, "l%.1f %.1f", -TIP, -half);
	fputs("z\"/>", file);
}

/* Where the bar of the program begins; its right end if there was no exec. */
static double exec_place(const struct bar *bar)
{
	const struct plot_process *process = bar->process;
	const int64_t life = process->end_ns - process->begin_ns;
	double place;

	if (!process->exec_ns)
		return bar->right;
	if (bar->right - bar->left < DIVIDED_MIN)
		return bar->left;
	place = bar->left +
		(bar->right - bar->left) *
			(double)(process->exec_ns - process->begin_ns) /
			(double)life;
	/* Too small to be seen. */
	return place - bar->left < 0.3 ? bar->left : place;
}

/* The part before its exec is lighter. */
static void put_shape(const struct bar *bar, FILE *file)
{
	const struct plot_process *process = bar->process;
	const bool open_right = process->end != PLOT_ENDED;
	const double exec = exec_place(bar);

	if (open_right || process->older) {
		put_open(bar, process->exec_ns ? "" : " class=\"f\"",
			 process->older, open_right, file);
		if (plot_failed(process))
			put_open(bar, " class=\"x\"", true, false, file);
		return;
	}
	if (exec > bar->left)
		put_rect(bar, " class=\"f\"", bar->left, exec, file);
	if (exec < bar->right)
		put_rect(bar, "", exec, bar->right, file);
	if (plot_failed(process))
		put_rect(bar, " class=\"x\"", bar->left, bar->right, file);
}

static void put_label_at(const struct bar *bar, double x,
			 const char *attributes, const char *label, FILE *file)
{
	fprintf(file, "<text%s x=\"%.1f\" y=\"%.1f\">", attributes, x,
		bar->top + bar->height / 2 + LABEL_SIZE * 0.36);
	plot_put_text(file, label, SIZE_MAX);
	fputs("</text>", file);
}

/* Beside the bar if its row is its own. */
static void put_label_beside(const struct plot_bars *bars,
			     const struct bar *bar, FILE *file)
{
	char name[PLOT_WORDS_MAX], words[PLOT_WORDS_MAX];
	char label[3 * PLOT_WORDS_MAX];
	const bool failed = plot_failed(bar->process);
	double width;

	plot_name(bar->process->comm, name);
	plot_duration(bar->process->end_ns - bar->process->begin_ns, words);
	snprintf(label, sizeof(label), "%s %s", name, words);
	if (failed || bar->process->end != PLOT_ENDED) {
		plot_end_words(bar->process, words);
		strcat(strcat(label, ", "), words);
	}
	width = plot_text_width(label, SIZE_MAX, LABEL_SIZE) + 2 * LABEL_GAP;
	if (bar->right - bar->left > width)
		put_label_at(bar, bar->left + LABEL_GAP, "", label, file);
	else if (bar->right + TIP + width < bars->left + bars->width)
		put_label_at(bar, bar->right + TIP + LABEL_GAP,
			     failed ? " class=\"o r\"" : " class=\"o\"", label,
			     file);
	else
		put_label_at(bar, bar->left - TIP - LABEL_GAP,
			     failed ? " class=\"o e r\"" : " class=\"o e\"",
			     label, file);
}

/* The duration, too, if there is room. */
static void put_label_inside(const struct bar *bar, FILE *file)
{
	const double room = bar->right - bar->left - LABEL_GAP;
	char name[PLOT_WORDS_MAX], words[PLOT_WORDS_MAX];
	char label[2 * PLOT_WORDS_MAX + 1];

	if (bar->height < LABEL_SIZE)
		return;
	plot_name(bar->process->comm, name);
	plot_duration(bar->process->end_ns - bar->process->begin_ns, words);
	snprintf(label, sizeof(label), "%s %s", name, words);
	if (room > plot_text_width(label, SIZE_MAX, LABEL_SIZE))
		put_label_at(bar, bar->left + LABEL_GAP, "", label, file);
	else if (room > plot_text_width(name, SIZE_MAX, LABEL_SIZE) - 2)
		put_label_at(bar, bar->left + LABEL_GAP, "", name, file);
}

/* From each process down to its children, where rows are not shared. */
static void put_branches(const struct plot *plot, const struct plot_bars *bars,
			 FILE *file)
{
	fputs("<path class=\"b\" d=\"", file);
	for (size_t i = 0; i < plot->nr; i++) {
		const struct plot_process *process = &plot->processes[i];
		struct bar parent, child;

		if (process->parent == NO_PROCESS)
			continue;
		parent = bar_of(bars, &plot->processes[process->parent]);
		child = bar_of(bars, process);
		fprintf(file, "M%.1f %.1fV%.1f", child.left,
			parent.top + parent.height, child.top);
	}
	fputs("\"/>\n", file);
}

void plot_put_bars(const struct plot *plot, const struct plot_bars *bars,
		   FILE *file)
{
	if (!plot->packed)
		put_branches(plot, bars, file);
	for (size_t i = 0; i < plot->nr; i++) {
		const struct plot_process *process = &plot->processes[i];
		const struct bar bar = bar_of(bars, process);

		fprintf(file, "<g class=\"p c%u%s\">",
			plot->programs[process->program].colour,
			process->end == PLOT_END_LOST ? " l" : "");
		put_hover(plot, process, file);
		put_shape(&bar, file);
		if (plot->packed)
			put_label_inside(&bar, file);
		else
			put_label_beside(bars, &bar, file);
		fputs("</g>\n", file);
	}
}
