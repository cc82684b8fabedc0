// SPDX-License-Identifier: GPL-2.0-only
/*
 * The programs of a plot: how much time each took, and its colour.
 *
 * A name has the same colour in every picture, unless one that took more time
 * has it already.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plot.h"

/* None is red, the colour of failures. */
const char *const plot_colours[PLOT_COLOURS] = {
	"#4e79a7", "#f28e2b", "#59a14f", "#b07aa1", "#76b7b2", "#edc948",
	"#9c755f", "#6b8fd6", "#d4a6c8", "#3d9970", "#8cd17d", "#b6992d",
	"#a0cbe8", "#ffbe7d", "#7a6fb5", "#499894", "#d7b5a6", "#79706e",
	"#c5b0d5", "#5fa8d3", "#6fc7b0", "#eab8c8", "#9fb84f", "#bab0ac",
};

static int compare_names(const void *a, const void *b, void *arg)
{
	const struct plot_process *processes = arg;
	const size_t *x = a, *y = b;

	return strncmp(processes[*x].comm, processes[*y].comm,
		       sizeof(processes->comm));
}

static int compare_times(const void *a, const void *b)
{
	const struct plot_program *x = a, *y = b;

	if (x->cpu_ns != y->cpu_ns)
		return x->cpu_ns < y->cpu_ns ? 1 : -1;
	if (x->life_ns != y->life_ns)
		return x->life_ns < y->life_ns ? 1 : -1;
	return strncmp(x->comm, y->comm, sizeof(x->comm));
}

/* FNV-1a. */
static uint32_t hash(const char *comm, size_t size)
{
	uint32_t value = 2166136261U;

	for (size_t i = 0; i < size && comm[i]; i++)
		value = (value ^ (unsigned char)comm[i]) * 16777619U;
	return value ^ value >> 16;
}

static void choose_colours(struct plot *plot)
{
	bool taken[PLOT_COLOURS] = {};

	for (size_t i = 0; i < plot->nr_programs; i++) {
		struct plot_program *program = &plot->programs[i];

		program->colour = hash(program->comm, sizeof(program->comm)) %
				  PLOT_COLOURS;
		for (unsigned int n = 0;
		     n < PLOT_COLOURS && taken[program->colour]; n++)
			program->colour = (program->colour + 1) % PLOT_COLOURS;
		taken[program->colour] = true;
	}
}

static void add(struct plot_program *program,
		const struct plot_process *process)
{
	memcpy(program->comm, process->comm, sizeof(program->comm));
	program->processes++;
	program->cpu_ns += plot_cpu_ns(process);
	program->life_ns += process->end_ns - process->begin_ns;
}

/* Programs by name, each process with the index of its own. */
static void group(struct plot *plot, size_t *order)
{
	struct plot_program *program = NULL;

	for (size_t i = 0; i < plot->nr; i++)
		order[i] = i;
	qsort_r(order, plot->nr, sizeof(*order), compare_names,
		plot->processes);
	for (size_t i = 0; i < plot->nr; i++) {
		struct plot_process *process = &plot->processes[order[i]];

		if (!program || strncmp(program->comm, process->comm,
					sizeof(program->comm)))
			program = &plot->programs[plot->nr_programs++];
		program->index = program - plot->programs;
		process->program = program->index;
		add(program, process);
	}
}

int plot_find_programs(struct plot *plot)
{
	size_t *order = calloc(plot->nr + 1, sizeof(*order));

	plot->programs = calloc(plot->nr + 1, sizeof(*plot->programs));
	if (!order || !plot->programs) {
		free(order);
		return -ENOMEM;
	}
	group(plot, order);
	qsort(plot->programs, plot->nr_programs, sizeof(*plot->programs),
	      compare_times);
	/* From the place by name to that by time. */
	for (size_t i = 0; i < plot->nr_programs; i++)
		order[plot->programs[i].index] = i;
	for (size_t i = 0; i < plot->nr; i++)
		plot->processes[i].program = order[plot->processes[i].program];
	choose_colours(plot);
	free(order);
	return 0;
}
