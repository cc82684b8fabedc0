// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmon-tree: follows a tree of processes and says when it is empty.
 *
 * The table of the library knows who is whose child, and asks for a snapshot at
 * the start and after each loss.  A process that lived before a loss is
 * unconfirmed until a record shows it, or until the list of those that live is
 * complete without it: then its end was lost.
 */

#include <locale.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"
#include "tree_output.h"

struct unconfirmed {
	/* First: the key of compare(). */
	struct kmon_process process;
	unsigned int depth;
};

struct tree {
	struct source source;
	struct tree_output output;
	struct kmon_table *table;
	/* A tree of struct unconfirmed, for tsearch(3). */
	void *unconfirmed;
	/* The token of the newest snapshot. */
	uint64_t round;
	uint64_t first_ns;
	uint64_t last_ns;

	/* The processes that ended; the totals of trees that became empty. */
	struct tree_totals ended;
	struct tree_totals trees;
	unsigned int nr_trees;
	uint64_t unknown;
};

const char *argp_program_version = "kmon-tree " KMON_VERSION;

/* The command line. */

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0,
	  "Write one JSON object for each process that ends, and one at the end",
	  3 },
	{ "output", 'o', "FILE", 0, "Write to FILE instead of standard output",
	  3 },
	{ "quiet", 'q', NULL, 0, "Write nothing: the status is the result", 3 },
	{ 0 }
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct tree *tree = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &tree->source;
		return 0;
	case 'j':
		tree->output.json = true;
		return 0;
	case 'o':
		tree->output.to.name = arg;
		return 0;
	case 'q':
		tree->output.quiet = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const char doc[] =
	"Follow a tree of processes from now on, and say when it is empty.\n"
	"\vCMD and all its descendants are followed from before CMD's first instruction;\n"
	"kmon-tree ends after the last of them, with CMD's status.  Without CMD it ends\n"
	"with the last process or tree followed, or when interrupted.\n";

static const struct argp_child children[] = { { .argp = &source_argp }, {} };

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "[--] [CMD [ARG...]]",
	.doc = doc,
	.children = children,
};

/* Ends that were lost. */

static int compare(const void *a, const void *b)
{
	const struct kmon_process *x = a, *y = b;

	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

static int add_unconfirmed(const struct kmon_process *process,
			   unsigned int depth, void *arg)
{
	struct tree *tree = arg;
	struct unconfirmed *new = malloc(sizeof(*new));
	void *found;

	if (!new)
		return -ENOMEM;
	new->process = *process;
	new->depth = depth;
	found = tsearch(new, &tree->unconfirmed, compare);
	if (!found || *(struct unconfirmed **)found != new)
		free(new);
	return found ? 0 : -ENOMEM;
}

static void clear(struct tree *tree, int32_t tgid, uint64_t start_ns)
{
	const struct kmon_process key = { .tgid = tgid, .start_ns = start_ns };
	void *found = tfind(&key, &tree->unconfirmed, compare);
	struct unconfirmed *seen;

	if (!found)
		return;
	seen = *(struct unconfirmed **)found;
	tdelete(&key, &tree->unconfirmed, compare);
	free(seen);
}

static int write_unknown(struct tree *tree, const struct unconfirmed *lost)
{
	const struct kmon_process *process = &lost->process;
	struct kmonitor_event event = {
		.type = KMONITOR_PROCESS_EXIT,
		.time_ns = tree->last_ns,
		.pid = process->tgid,
		.tgid = process->tgid,
		.ppid = process->ppid,
		.uid = process->uid,
		.start_ns = process->start_ns,
		.cgroup_id = process->cgroup_id,
	};

	memcpy(event.comm, process->comm, sizeof(event.comm));
	tree->unknown++;
	return write_end(&tree->output, &event, lost->depth, false);
}

/* Those that live have been listed, or nothing lives any more. */
static int report_lost_ends(struct tree *tree)
{
	int status = 0;

	while (!status && tree->unconfirmed) {
		const struct kmon_process process =
			(*(struct unconfirmed **)tree->unconfirmed)->process;

		status = write_unknown(
			tree, *(struct unconfirmed **)tree->unconfirmed);
		clear(tree, process.tgid, process.start_ns);
	}
	return status;
}

/* The records. */

static void add_usage(struct tree_totals *totals, uint64_t utime_ns,
		      uint64_t stime_ns, uint64_t maxrss_kib)
{
	totals->utime_ns += utime_ns;
	totals->stime_ns += stime_ns;
	if (totals->maxrss_kib < maxrss_kib)
		totals->maxrss_kib = maxrss_kib;
}

static void count_end(struct tree_totals *totals,
		      const struct kmonitor_exit *exit)
{
	totals->processes++;
	totals->failed += exit->status != 0;
	add_usage(totals, exit->utime_ns, exit->stime_ns, exit->maxrss_kib);
}

static void count_tree(struct tree_totals *totals,
		       const struct kmonitor_empty *empty)
{
	totals->processes += empty->members;
	totals->failed += empty->failed;
	add_usage(totals, empty->utime_ns, empty->stime_ns, empty->maxrss_kib);
}

static int show_life(struct tree *tree, int32_t pid,
		     const struct kmonitor_event *event, const char *what)
{
	return write_life(&tree->output, pid, event->comm,
			  kmon_table_depth(tree->table, pid), what);
}

/* The table has the record now; before it had the process, or not, so deep. */
static int show(struct tree *tree, const struct kmonitor_event *event,
		bool known, unsigned int depth)
{
	int ret;

	switch (event->type) {
	case KMONITOR_TASK:
		return known ? 0 :
			       show_life(tree, event->tgid, event, "exists");
	case KMONITOR_PROCESS_FORK:
		/* It may have come before the TASK of the one that forks. */
		ret = known ? 0 : show_life(tree, event->tgid, event, "exists");
		return ret   ?:
			       show_life(tree, event->fork.tgid, event,
					 "begins");
	case KMONITOR_PROCESS_EXEC:
		return show_life(tree, event->tgid, event, "runs");
	case KMONITOR_PROCESS_EXIT:
		count_end(&tree->ended, &event->exit);
		return write_end(&tree->output, event, depth, true);
	case KMONITOR_EMPTY:
		tree->nr_trees++;
		count_tree(&tree->trees, &event->empty);
		return 0;
	case KMONITOR_LOST:
		return write_loss(&tree->output, event->lost.count);
	case KMONITOR_SNAPSHOT_END:
		return event->task.token == tree->round ?
			       report_lost_ends(tree) :
			       0;
	}
	return 0;
}

static int table_failed(int error)
{
	complain("keeping the tree: %s", strerror(-error));
	return EXIT_FAILURE;
}

static int update(struct tree *tree, const struct kmonitor_event *event)
{
	int ret = 0;

	if (event->type == KMONITOR_LOST) {
		tree->round++;
		ret = kmon_table_walk(tree->table, 0, add_unconfirmed, tree);
	} else {
		clear(tree, event->tgid, event->start_ns);
	}
	return ret ?: kmon_table_update(tree->table, event);
}

static int take(void *tool, const struct kmonitor_event *event,
		int64_t wall_offset)
{
	struct tree *tree = tool;
	struct kmonitor_event subject;
	struct kmon_process process;
	unsigned int depth;
	bool known;
	int ret;

	/* A recording may have them; they have no process. */
	if (event->type == KMONITOR_EXEC_ARGS)
		return 0;
	if (event->type == KMONITOR_PROCESS_FORK &&
	    !source_follows_child(event)) {
		subject = source_subject(event);
		event = &subject;
	}
	tree->output.wall_offset = wall_offset;
	if (!tree->first_ns)
		tree->first_ns = event->time_ns;
	if (tree->last_ns < event->time_ns)
		tree->last_ns = event->time_ns;
	/* The end of a process takes it out of the table. */
	depth = kmon_table_depth(tree->table, event->tgid);
	known = !kmon_table_find(tree->table, event->tgid, event->start_ns,
				 &process);
	ret = update(tree, event);
	return ret ? table_failed(ret) : show(tree, event, known, depth);
}

static int idle(void *tool)
{
	struct tree *tree = tool;
	const int ret = kmon_table_sync(tree->table);

	return ret < 0 ? table_failed(ret) : output_flush(&tree->output.to);
}

/* The end. */

/* A recording may end anywhere. */
static bool is_empty(const struct tree *tree)
{
	if (!tree->source.from)
		return tree->source.ended;
	return !kmon_table_count(tree->table) &&
	       (tree->nr_trees || !tree->unconfirmed);
}

/* Then the totals of the kernel are those of all. */
static bool is_one_tree(const struct tree *tree)
{
	return tree->nr_trees == 1 && source_may_be_one_tree(&tree->source) &&
	       tree->trees.processes >= tree->ended.processes;
}

static int finish(struct tree *tree)
{
	struct tree_totals totals = is_one_tree(tree) ? tree->trees :
							tree->ended;
	int status = source_status(&tree->source);
	int ret = 0;

	totals.empty = is_empty(tree);
	if (totals.empty || tree->source.from)
		ret = report_lost_ends(tree);
	totals.left = kmon_table_count(tree->table);
	totals.unknown = tree->unknown;
	totals.lost = tree->source.lost;
	totals.wall_ns = totals.empty || tree->source.from ?
				 tree->last_ns - tree->first_ns :
				 (uint64_t)(source_seconds(&tree->source) *
					    NSEC_PER_SEC);
	if (!ret)
		ret = write_totals(&tree->output, &totals);
	if (!ret)
		ret = output_close(&tree->output.to);
	return ret ?: status;
}

static int run(struct tree *tree)
{
	int status = source_open(&tree->source);
	int ret;

	if (!status)
		status = output_open(&tree->output.to);
	if (!status)
		status = source_begin(
			&tree->source,
			tree->output.quiet ? NULL : tree->output.to.file);
	if (!status)
		status = write_header(&tree->output);
	if (status)
		return status;
	ret = kmon_table_new(tree->source.fd, 0, &tree->table);
	if (ret)
		return table_failed(ret);
	return source_run(&tree->source) ?: finish(tree);
}

int main(int argc, char **argv)
{
	struct tree tree = { .source = SOURCE_INIT, .round = 1 };
	int status;

	hold_standard_fds();
	setlocale(LC_CTYPE, "");
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &tree);

	tree.source.take = take;
	tree.source.idle = idle;
	tree.source.tool = &tree;
	status = run(&tree);
	status = source_close(&tree.source) ?: status;
	kmon_table_free(tree.table);
	tdestroy(tree.unconfirmed, free);
	return status;
}
