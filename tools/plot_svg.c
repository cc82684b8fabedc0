// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plot as an SVG: title, totals, legend, time axis, losses and bars.
 *
 * It needs no scripts and no fonts of its own, and has its own background.
 */

#include <errno.h>

#include <string.h>
#include <sys/param.h>

#include "common.h"
#include "plot.h"

#define WIDTH 1200.0
#define MARGIN 24.0
#define INNER (WIDTH - 2 * MARGIN)
#define TITLE_MAX 110
#define SUBJECT_MAX 1024
#define TEXT_SIZE 11.0
#define LEGEND_MAX 12
#define LEGEND_ROW 18.0
#define LEGEND_GAP 16.0
#define SWATCH 10.0
#define LEGEND_TOP 66.0
#define AXIS_HEIGHT 34.0
#define TICKS_MAX 12
/* Losses so near to each other are drawn as one. */
#define LOSS_MIN 2.0

static double place_of(const struct plot *plot, int64_t ns)
{
	const int64_t span = plot->last_ns - plot->first_ns;
	double share = span > 0 ? (double)(ns - plot->first_ns) / (double)span :
				  0;

	return MARGIN + INNER * MIN(MAX(share, 0), 1);
}

static void put_style(FILE *file)
{
	fputs("<style>\n"
	      "text{font:11px system-ui,\"DejaVu Sans\",sans-serif;fill:#222}\n"
	      ".r,text.r{fill:#c00000}.e{text-anchor:end}\n"
	      ".h{font-size:16px;font-weight:bold}.m{fill:#555}\n"
	      ".a{stroke:#e2e2e2;fill:none}.b{stroke:#ccc;fill:none}\n"
	      ".o{paint-order:stroke;stroke:#fcfcfa;stroke-width:3px}\n"
	      ".f{fill-opacity:.45}.x{fill:none;stroke:#d00000;stroke-width:1.3}\n"
	      ".l path{stroke:#777;stroke-dasharray:3 2}.d{fill:#d00000}\n"
	      ".w{fill-opacity:.16;pointer-events:none}\n",
	      file);
	for (unsigned int i = 0; i < PLOT_COLOURS; i++)
		fprintf(file, ".c%u{fill:%s}%s", i, plot_colours[i],
			i % 4 == 3 ? "\n" : "");
	fputs("</style>\n", file);
}

static void put_title(const struct plot *plot, FILE *file)
{
	char subject[SUBJECT_MAX];
	char wall[PLOT_WORDS_MAX], cpu[PLOT_WORDS_MAX];

	plot_subject(plot, subject, sizeof(subject));
	plot_duration(plot->last_ns - plot->first_ns, wall);
	plot_duration(plot->cpu_ns, cpu);
	fprintf(file, "<text class=\"h\" x=\"%.0f\" y=\"30\">", MARGIN);
	plot_put_text(file, subject, TITLE_MAX);
	fprintf(file,
		"</text>\n<text class=\"m\" x=\"%.0f\" y=\"50\">%llu process%s, <tspan%s>%llu failed</tspan>, %s, CPU %s, <tspan%s>%llu record%s lost</tspan></text>\n",
		MARGIN, (unsigned long long)plot->members,
		plot->members == 1 ? "" : "es",
		plot->failed ? " class=\"r\"" : "",
		(unsigned long long)plot->failed, wall, cpu,
		plot->lost ? " class=\"r\"" : "",
		(unsigned long long)plot->lost, plot->lost == 1 ? "" : "s");
}

/* The legend, or only its height if there is no file. */
static double put_legend(const struct plot *plot, FILE *file)
{
	double x = MARGIN, y = LEGEND_TOP;

	for (size_t i = 0; i < plot->nr_programs && i < LEGEND_MAX; i++) {
		const struct plot_program *program = &plot->programs[i];
		char name[PLOT_WORDS_MAX], cpu[PLOT_WORDS_MAX];
		char words[3 * PLOT_WORDS_MAX];
		double width;

		plot_name(program->comm, name);
		plot_duration(program->cpu_ns, cpu);
		snprintf(words, sizeof(words), "%s \u00d7%zu, %s", name,
			 program->processes, cpu);
		width = SWATCH + 5 +
			plot_text_width(words, SIZE_MAX, TEXT_SIZE);
		if (x > MARGIN && x + width > WIDTH - MARGIN) {
			x = MARGIN;
			y += LEGEND_ROW;
		}
		if (file) {
			fprintf(file,
				"<rect class=\"c%u\" x=\"%.1f\" y=\"%.1f\" width=\"%.0f\" height=\"%.0f\" rx=\"2\"/><text x=\"%.1f\" y=\"%.1f\">",
				program->colour, x, y, SWATCH, SWATCH,
				x + SWATCH + 5, y + 9);
			plot_put_text(file, words, SIZE_MAX);
			fputs("</text>\n", file);
		}
		x += width + LEGEND_GAP;
	}
	return y + LEGEND_ROW - LEGEND_TOP;
}

static void put_axis(const struct plot *plot, double top, double bottom,
		     FILE *file)
{
	const int64_t span = plot->last_ns - plot->first_ns;
	const int64_t tick = plot_tick(span, TICKS_MAX);
	char words[PLOT_WORDS_MAX];

	for (int64_t i = 0; i <= span / tick; i++) {
		const double x = place_of(plot, plot->first_ns + i * tick);

		plot_tick_words(i * tick, tick, words);
		fprintf(file,
			"<path class=\"a\" d=\"M%.1f %.1fV%.1f\"/><text class=\"m\" text-anchor=\"middle\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
			x, top, bottom, x, top - 5, words);
	}
}

/* A loss, and those behind it that would be drawn over it. */
static struct plot_loss merged(const struct plot *plot, size_t *next)
{
	struct plot_loss loss = plot->losses[(*next)++];

	while (*next < plot->nr_losses) {
		const struct plot_loss *more = &plot->losses[*next];

		if (place_of(plot, more->first_ns) >
		    place_of(plot, loss.last_ns) + LOSS_MIN)
			break;
		if (more->last_ns > loss.last_ns)
			loss.last_ns = more->last_ns;
		loss.count += more->count;
		++*next;
	}
	return loss;
}

static void put_losses(const struct plot *plot, double top, double bottom,
		       FILE *file)
{
	double labelled = 0;

	for (size_t next = 0; next < plot->nr_losses;) {
		const struct plot_loss loss = merged(plot, &next);
		const double left = place_of(plot, loss.first_ns);
		const double width =
			MAX(place_of(plot, loss.last_ns) - left, LOSS_MIN);
		char words[PLOT_WORDS_MAX];

		snprintf(words, sizeof(words), "%llu lost",
			 (unsigned long long)loss.count);
		fprintf(file,
			"<g class=\"lost d\"><title>%llu record%s lost here</title><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"4\"/><rect class=\"w\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
			(unsigned long long)loss.count,
			loss.count == 1 ? "" : "s", left, top, width, left, top,
			width, bottom - top);
		if (left > labelled) {
			fprintf(file,
				"<text class=\"r\" x=\"%.1f\" y=\"%.1f\">%s</text>",
				left + width + 3, top + 10, words);
			labelled = left + width + 7 +
				   plot_text_width(words, SIZE_MAX, TEXT_SIZE);
		}
		fputs("</g>\n", file);
	}
}

int plot_write_svg(struct plot *plot, FILE *file)
{
	struct plot_bars bars = { .left = MARGIN, .width = INNER };
	double axis, bottom, height;

	if (plot_find_programs(plot) || plot_lay_out(plot, INNER))
		return -ENOMEM;
	axis = LEGEND_TOP + put_legend(plot, NULL) + AXIS_HEIGHT / 2;
	bars.row_height = plot_row_height(plot);
	bars.top = axis + AXIS_HEIGHT / 2;
	bottom = bars.top + (double)plot->nr_rows * bars.row_height;
	height = bottom + MARGIN;

	fprintf(file,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">\n",
		WIDTH, height, WIDTH, height);
	put_style(file);
	fprintf(file,
		"<rect x=\".5\" y=\".5\" width=\"%.0f\" height=\"%.0f\" rx=\"6\" fill=\"#fcfcfa\" stroke=\"#ccc\"/>\n",
		WIDTH - 1, height - 1);
	put_title(plot, file);
	put_legend(plot, file);
	put_axis(plot, axis, bottom, file);
	plot_put_bars(plot, &bars, file);
	put_losses(plot, axis, bottom, file);
	fputs("</svg>\n", file);
	return 0;
}
