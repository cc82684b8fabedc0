// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the processes of a plot are drawn.
 *
 * A process is above a block with its descendants.  Few processes get a row
 * each, parents first.  With many, the blocks of children that do not overlap in
 * time are side by side, in the uppermost rows that are free.
 *
 * The index of a parent is below those of its children: one pass backwards has
 * each block before the one that holds it, a pass forwards the other way.
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/param.h>

#include "plot.h"

/* More than these share rows. */
#define SEPARATE_MAX 50
/* A bar has so much room at least. */
#define BAR_MIN 2.0

struct rows {
	/* The right end of the last bar in each row so far. */
	double *taken;
	size_t nr;
	size_t room;
};

static int compare_begins(const void *a, const void *b, void *arg)
{
	const struct plot_process *processes = arg;
	const size_t x = *(const size_t *)a, y = *(const size_t *)b;

	if (processes[x].begin_ns != processes[y].begin_ns)
		return processes[x].begin_ns < processes[y].begin_ns ? -1 : 1;
	return x < y ? -1 : 1;
}

/* Lists the children of each, and the roots: the first to begin comes first. */
static int list_children(struct plot *plot, size_t *first_root)
{
	size_t *order = calloc(plot->nr + 1, sizeof(*order));

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < plot->nr; i++) {
		order[i] = i;
		plot->processes[i].first_child = NO_PROCESS;
	}
	qsort_r(order, plot->nr, sizeof(*order), compare_begins,
		plot->processes);
	*first_root = NO_PROCESS;
	for (size_t i = plot->nr; i--;) {
		struct plot_process *process = &plot->processes[order[i]];
		size_t *first =
			process->parent == NO_PROCESS ?
				first_root :
				&plot->processes[process->parent].first_child;

		process->next_sibling = *first;
		*first = order[i];
	}
	free(order);
	return 0;
}

/* A bar that is wider than true stays inside of its parent's, if it was so. */
static void place_bar(const struct plot *plot, struct plot_process *process,
		      double scale, double width)
{
	const struct plot_process *parent =
		process->parent == NO_PROCESS ?
			NULL :
			&plot->processes[process->parent];
	double limit = width;

	process->left = (double)(process->begin_ns - plot->first_ns) * scale;
	process->right = (double)(process->end_ns - plot->first_ns) * scale;
	if (parent && process->end_ns <= parent->end_ns)
		limit = parent->right;
	if (process->right < process->left + BAR_MIN)
		process->right = process->left + BAR_MIN;
	if (process->right > limit) {
		process->right = limit;
		process->left = MIN(process->left, limit - BAR_MIN);
	}
}

static void place_bars(struct plot *plot, double width)
{
	const int64_t span = plot->last_ns - plot->first_ns;
	const double scale = span > 0 ? width / (double)span : 0;

	for (size_t i = 0; i < plot->nr; i++)
		place_bar(plot, &plot->processes[i], scale, width);
}

/* The uppermost place for a block. */
static size_t find_place(const struct rows *rows, double left, size_t height)
{
	size_t row = 0, free_rows = 0;

	while (row < rows->nr && free_rows < height) {
		free_rows = rows->taken[row] <= left ? free_rows + 1 : 0;
		row++;
	}
	return row - free_rows;
}

static int take_place(struct rows *rows, size_t row, size_t height,
		      double right)
{
	if (row + height > rows->room) {
		const size_t need = 2 * (row + height);
		double *taken = reallocarray(rows->taken, need, sizeof(*taken));

		if (!taken)
			return -ENOMEM;
		rows->taken = taken;
		rows->room = need;
	}
	for (size_t i = row; i < row + height; i++)
		rows->taken[i] = right;
	if (row + height > rows->nr)
		rows->nr = row + height;
	return 0;
}

/* Places siblings among each other; gives the right end of all. */
static int place_siblings(struct plot *plot, size_t first, struct rows *rows,
			  double *right)
{
	rows->nr = 0;
	for (size_t i = first; i != NO_PROCESS;
	     i = plot->processes[i].next_sibling) {
		struct plot_process *process = &plot->processes[i];
		const size_t height = process->rows + 1;

		process->row = plot->packed ?
				       find_place(rows, process->left, height) :
				       rows->nr;
		if (take_place(rows, process->row, height,
			       process->block_right))
			return -ENOMEM;
		*right = MAX(*right, process->block_right);
	}
	return 0;
}

static int place_blocks(struct plot *plot, size_t first_root)
{
	struct rows rows = {};
	double right = 0;
	int ret = 0;

	for (size_t i = plot->nr; !ret && i--;) {
		struct plot_process *process = &plot->processes[i];

		process->block_right = process->right;
		ret = place_siblings(plot, process->first_child, &rows,
				     &process->block_right);
		process->rows = rows.nr;
	}
	if (!ret)
		ret = place_siblings(plot, first_root, &rows, &right);
	plot->nr_rows = rows.nr;
	free(rows.taken);
	return ret;
}

int plot_lay_out(struct plot *plot, double width)
{
	size_t first_root;
	int ret = list_children(plot, &first_root);

	if (ret)
		return ret;
	plot->packed = plot->nr > SEPARATE_MAX;
	place_bars(plot, width);
	ret = place_blocks(plot, first_root);
	if (ret)
		return ret;
	for (size_t i = 0; i < plot->nr; i++) {
		struct plot_process *process = &plot->processes[i];

		if (process->parent != NO_PROCESS)
			process->row +=
				plot->processes[process->parent].row + 1;
	}
	return 0;
}
