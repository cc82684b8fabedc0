// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The live process tree, kept from a snapshot and the records behind it.
 *
 * A loss starts a new snapshot.  Each process that a record shows to live takes
 * over the number of that snapshot; who still has an older one when its
 * SNAPSHOT_END comes has ended among the lost records.
 */

#include <errno.h>
#include <poll.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "kmon.h"

/* Ended processes whose status is remembered. */
#define REMEMBERED 1024

struct node {
	struct kmon_process process;
	uint64_t round;
	struct node *parent;
	LIST_ENTRY(node) sibling;
	LIST_ENTRY(node) any;
	LIST_HEAD(, node) children;
};

struct kmon_table {
	int fd;
	uint64_t handle;
	void *by_pid;
	size_t nr;
	/* Processes whose parent is unknown here. */
	LIST_HEAD(, node) tops;
	LIST_HEAD(, node) all;
	/* The number of the newest snapshot, also its token. */
	uint64_t round;
	/* SNAPSHOT must be called again. */
	bool more;
	/* SNAPSHOT_END has not come. */
	bool syncing;
	struct kmon_process ended[REMEMBERED];
	size_t next_ended;
};

static int compare(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	return x->process.tgid < y->process.tgid ?
		       -1 :
		       x->process.tgid > y->process.tgid;
}

static struct node *find(const struct kmon_table *table, int32_t tgid)
{
	struct node key = { .process.tgid = tgid };
	struct node **found = tfind(&key, &table->by_pid, compare);

	return found ? *found : NULL;
}

/* Whether it is the node or one of those above. */
static bool is_above(const struct node *above, const struct node *node)
{
	while (node && node != above)
		node = node->parent;
	return node;
}

/* A damaged recording may call a descendant the parent. */
static void link_to(struct kmon_table *table, struct node *node, int32_t ppid)
{
	struct node *parent = ppid ? find(table, ppid) : NULL;

	if (parent == node ||
	    (!LIST_EMPTY(&node->children) && is_above(node, parent)))
		parent = NULL;
	node->process.ppid = ppid;
	node->parent = parent;
	if (parent)
		LIST_INSERT_HEAD(&parent->children, node, sibling);
	else
		LIST_INSERT_HEAD(&table->tops, node, sibling);
}

/* The kernel gives orphans to a reaper; a later record of theirs says to whom. */
static void orphan(struct kmon_table *table, struct node *node)
{
	struct node *child;

	while ((child = LIST_FIRST(&node->children))) {
		LIST_REMOVE(child, sibling);
		child->parent = NULL;
		LIST_INSERT_HEAD(&table->tops, child, sibling);
	}
}

static void remove_node(struct kmon_table *table, struct node *node)
{
	orphan(table, node);
	LIST_REMOVE(node, sibling);
	tdelete(node, &table->by_pid, compare);
	LIST_REMOVE(node, any);
	table->nr--;
	free(node);
}

static void end_node(struct kmon_table *table, struct node *node,
		     enum kmon_state state, int status, uint64_t end_ns)
{
	struct kmon_process *ended = &table->ended[table->next_ended];

	*ended = node->process;
	ended->state = state;
	ended->status = status;
	ended->end_ns = end_ns;
	table->next_ended = (table->next_ended + 1) % REMEMBERED;
	remove_node(table, node);
}

/* The node of a process; a pid that another process had before is taken over. */
static struct node *get(struct kmon_table *table, int32_t tgid,
			uint64_t start_ns, int32_t ppid)
{
	struct node *node = find(table, tgid);

	if (node && node->process.start_ns != start_ns) {
		end_node(table, node, KMON_STATE_LOST, 0, 0);
		node = NULL;
	}
	if (!node) {
		node = calloc(1, sizeof(*node));
		if (!node)
			return NULL;
		node->process.tgid = tgid;
		node->process.start_ns = start_ns;
		node->process.state = KMON_STATE_ALIVE;
		node->process.uid = UINT32_MAX;
		LIST_INIT(&node->children);
		if (!tsearch(node, &table->by_pid, compare)) {
			free(node);
			return NULL;
		}
		LIST_INSERT_HEAD(&table->all, node, any);
		table->nr++;
		link_to(table, node, ppid);
	}
	node->round = table->round;
	return node;
}

static void move_to(struct kmon_table *table, struct node *node, int32_t ppid)
{
	if (node->process.ppid == ppid && (node->parent || !find(table, ppid)))
		return;
	LIST_REMOVE(node, sibling);
	link_to(table, node, ppid);
}

static void describe(struct node *node, const struct kmonitor_event *event)
{
	if (event->flags & KMONITOR_EVENT_REDACTED)
		return;
	memcpy(node->process.comm, event->comm, sizeof(event->comm));
	node->process.uid = event->uid;
	node->process.cgroup_id = event->cgroup_id;
}

static bool is_readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

/* How often to ask again while a process is in the middle of a fork or exit. */
#define MAX_TRIES 5

static int ask(struct kmon_table *table)
{
	struct kmonitor_snapshot snapshot = {
		.handle = table->handle,
		.token = table->round,
	};
	int tries = MAX_TRIES;
	int ret;

	do {
		ret = kmon_snapshot(table->fd, &snapshot);
	} while (ret == 1 && !is_readable(table->fd) && --tries);
	table->more = ret == 1;
	return ret < 0 ? ret : 0;
}

/* Processes missing from the snapshot exited while records were lost. */
static void sweep(struct kmon_table *table)
{
	struct node *node, *next;

	for (node = LIST_FIRST(&table->all); node; node = next) {
		next = LIST_NEXT(node, any);
		if (node->round < table->round)
			end_node(table, node, KMON_STATE_LOST, 0, 0);
	}
}

/*
 * Starts a snapshot; one that is under way is void.  Without a descriptor
 * nothing is known any more.
 */
static int resync(struct kmon_table *table)
{
	table->round++;
	if (table->fd < 0) {
		sweep(table);
		return 0;
	}
	table->syncing = true;
	return ask(table);
}

static int fork_child(struct kmon_table *table,
		      const struct kmonitor_event *event)
{
	const struct kmonitor_fork *fork = &event->fork;
	struct node *child = get(table, fork->tgid, fork->start_ns, fork->ppid);

	if (!child)
		return -ENOMEM;
	describe(child, event);
	child->process.cgroup_id = fork->cgroup_id;
	return 0;
}

int kmon_table_update(struct kmon_table *table,
		      const struct kmonitor_event *event)
{
	struct node *node;

	switch (event->type) {
	case KMONITOR_LOST:
		return resync(table);
	case KMONITOR_SNAPSHOT_END:
		if (event->task.token == table->round && table->syncing) {
			table->syncing = false;
			sweep(table);
		}
		return 0;
	case KMONITOR_EMPTY:
	case KMONITOR_EXEC_ARGS:
	case KMONITOR_UNTRACKED:
		return 0;
	}
	node = get(table, event->tgid, event->start_ns, event->ppid);
	if (!node)
		return -ENOMEM;
	move_to(table, node, event->ppid);
	if (event->pid == event->tgid)
		describe(node, event);
	switch (event->type) {
	case KMONITOR_PROCESS_FORK:
		return fork_child(table, event);
	case KMONITOR_PROCESS_EXIT:
		end_node(table, node, KMON_STATE_ENDED, event->exit.status,
			 event->time_ns);
	}
	return 0;
}

int kmon_table_sync(struct kmon_table *table)
{
	int ret;

	if (table->more) {
		ret = ask(table);
		if (ret)
			return ret;
	}
	return table->syncing;
}

int kmon_table_new(int fd, uint64_t handle, struct kmon_table **table)
{
	struct kmon_table *new = calloc(1, sizeof(*new));
	int ret;

	if (!new)
		return -ENOMEM;
	new->fd = fd;
	new->handle = handle;
	LIST_INIT(&new->tops);
	LIST_INIT(&new->all);
	ret = resync(new);
	if (ret) {
		kmon_table_free(new);
		return ret;
	}
	*table = new;
	return 0;
}

void kmon_table_free(struct kmon_table *table)
{
	if (!table)
		return;
	while (table->by_pid)
		remove_node(table, *(struct node **)table->by_pid);
	free(table);
}

size_t kmon_table_count(const struct kmon_table *table)
{
	return table->nr;
}

int kmon_table_find(const struct kmon_table *table, int32_t tgid,
		    uint64_t start_ns, struct kmon_process *process)
{
	const struct node *node = find(table, tgid);

	if (node && (!start_ns || node->process.start_ns == start_ns)) {
		*process = node->process;
		return 0;
	}
	/* No process, as a parent that is not visible. */
	if (!tgid)
		return -ESRCH;
	/* The newest first: without start_ns the last that had the pid. */
	for (size_t i = 1; i <= REMEMBERED; i++) {
		const struct kmon_process *ended =
			&table->ended[(table->next_ended - i) % REMEMBERED];

		if (ended->tgid == tgid &&
		    (!start_ns || ended->start_ns == start_ns)) {
			*process = *ended;
			return 0;
		}
	}
	return -ESRCH;
}

unsigned int kmon_table_depth(const struct kmon_table *table, int32_t tgid)
{
	const struct node *node = find(table, tgid);
	unsigned int depth = 0;

	while (node && node->parent) {
		node = node->parent;
		depth++;
	}
	return depth;
}

/* Without recursion: a tree may be as deep as there are processes. */
static int visit(const struct node *top, kmon_table_visitor visitor, void *arg)
{
	const struct node *node = top;
	unsigned int depth = 0;
	int ret;

	for (;;) {
		ret = visitor(&node->process, depth, arg);
		if (ret)
			return ret;
		if (!LIST_EMPTY(&node->children)) {
			node = LIST_FIRST(&node->children);
			depth++;
			continue;
		}
		while (node != top && !LIST_NEXT(node, sibling)) {
			node = node->parent;
			depth--;
		}
		if (node == top)
			return 0;
		node = LIST_NEXT(node, sibling);
	}
}

int kmon_table_walk(const struct kmon_table *table, int32_t tgid,
		    kmon_table_visitor visitor, void *arg)
{
	const struct node *node;
	int ret = 0;

	if (tgid) {
		node = find(table, tgid);
		return node ? visit(node, visitor, arg) : -ESRCH;
	}
	LIST_FOREACH(node, &table->tops, sibling)
	{
		ret = visit(node, visitor, arg);
		if (ret)
			break;
	}
	return ret;
}
