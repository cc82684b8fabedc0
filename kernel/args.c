// SPDX-License-Identifier: GPL-2.0-only
/*
 * The path and the arguments of a program, as continuation records.
 */

#include <linux/binfmts.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/kmonitor.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "args.h"
#include "event_data.h"

#define PART_SIZE sizeof_field(struct kmonitor_exec_args, data)
#define MAX_PARTS 64

static struct kmonitor_args *alloc_args(size_t len, gfp_t gfp)
{
	u32 nr = min_t(size_t, DIV_ROUND_UP(len, PART_SIZE), MAX_PARTS);
	struct kmonitor_args *args;

	args = kzalloc(struct_size(args, part, nr), gfp);
	if (args)
		args->room = nr * PART_SIZE;
	return args;
}

/*
 * Returns the next write position and limits @len to what fits in the current
 * part.
 */
static char *next_space(struct kmonitor_args *args, size_t *len)
{
	size_t used = args->len % PART_SIZE;

	if (args->len == args->room) {
		args->truncated = true;
		return NULL;
	}
	*len = min(*len, PART_SIZE - used);
	return args->part[args->len / PART_SIZE].data + used;
}

static void add_text(struct kmonitor_args *args, const char *text)
{
	size_t left = strlen(text) + 1, n;
	char *to;

	for (; left; left -= n, text += n) {
		n = left;
		to = next_space(args, &n);
		if (!to)
			return;
		memcpy(to, text, n);
		args->len += n;
	}
}

/*
 * Copies resident memory, all or nothing.  Faulting a page in may block
 * indefinitely (userfaultfd, FUSE).  The caller holds the mmap lock.
 */
static bool copy_resident(char *to, struct mm_struct *mm, unsigned long at,
			  size_t n)
{
	struct page *page;

	if (!vma_lookup(mm, at) ||
	    get_user_pages_remote(mm, at, 1, FOLL_NOFAULT, &page, NULL) != 1)
		return false;
	memcpy_from_page(to, page, offset_in_page(at), n);
	put_page(page);
	return true;
}

/* Adds resident memory of @mm, or of the current task if @mm is NULL. */
static void add_user(struct kmonitor_args *args, struct mm_struct *mm,
		     unsigned long at, unsigned long end)
{
	size_t n;
	char *to;

	for (; at < end; at += n) {
		/* Presence is decided page by page. */
		n = min(end - at, PAGE_SIZE - offset_in_page(at));
		to = next_space(args, &n);
		if (!to)
			return;
		if (mm ? !copy_resident(to, mm, at, n) :
			 copy_from_user_nofault(to, (void __user *)at, n)) {
			args->truncated = true;
			return;
		}
		args->len += n;
	}
}

/**
 * kmonitor_args_of_exec - take the arguments of the program that starts now
 * @data: Its exec; keeps the result, to be freed by kfree().
 *
 * The first call makes the records.  Arguments not in memory are left out.
 *
 * Context: The current task, at the end of exec; does not sleep.
 * Return: The arguments, or NULL if there is no memory for them.
 */
struct kmonitor_args *kmonitor_args_of_exec(struct kmonitor_event_data *data)
{
	const char *path = data->exec.bprm->filename;
	const struct mm_struct *mm = current->mm;
	struct kmonitor_args *args;

	if (data->exec.args_tried)
		return data->exec.args;
	data->exec.args_tried = true;
	args = alloc_args(strlen(path) + 1 + mm->arg_end - mm->arg_start,
			  GFP_ATOMIC | __GFP_NOWARN);
	data->exec.args = args;
	if (args) {
		add_text(args, path);
		add_user(args, NULL, mm->arg_start, mm->arg_end);
	}
	return args;
}

static struct kmonitor_args *args_of_program(struct mm_struct *mm,
					     const struct file *exe)
{
	char *buffer __free(kfree) = kmalloc(PATH_MAX, GFP_KERNEL);
	struct kmonitor_args *args = NULL;
	unsigned long start, end;
	char *path;

	if (buffer)
		args = alloc_args(MAX_PARTS * PART_SIZE, GFP_KERNEL);
	if (!args)
		return ERR_PTR(-ENOMEM);
	path = d_path(&exe->f_path, buffer, PATH_MAX);
	if (IS_ERR(path)) {
		args->truncated = true;
		path = "";
	}
	spin_lock(&mm->arg_lock);
	start = mm->arg_start;
	end = mm->arg_end;
	spin_unlock(&mm->arg_lock);
	add_text(args, path);
	/* The holder of the lock may wait for a page. */
	if (mmap_read_trylock(mm)) {
		add_user(args, mm, start, end);
		mmap_read_unlock(mm);
	} else {
		args->truncated = true;
	}
	return args;
}

/* A leader that has exited no longer has one. */
static struct mm_struct *get_live_mm(struct task_struct *task)
{
	struct task_struct *thread;
	struct mm_struct *mm;

	guard(rcu)();
	for_each_thread(task, thread) {
		/* Reads task flags that may be changing. */
		mm = data_race(get_task_mm(thread));
		if (mm)
			return mm;
	}
	return NULL;
}

/**
 * kmonitor_args_of_task - take the arguments of the program of a task
 * @task: Any thread of a process; the caller holds a reference.
 *
 * The path is the current one, seen from the root of the caller.  Arguments that
 * are not in memory are left out, and all of them while the memory map changes.
 *
 * Context: May sleep, but not for user space.
 * Return: The arguments, to be freed by kfree(), NULL if the process has no
 *	program, or -ENOMEM.
 */
struct kmonitor_args *kmonitor_args_of_task(struct task_struct *task)
{
	struct mm_struct *mm = get_live_mm(task);
	struct kmonitor_args *args = NULL;
	struct file *exe;

	if (!mm)
		return NULL;
	kmonitor_debug_window();
	exe = get_mm_exe_file(mm);
	if (exe) {
		args = args_of_program(mm, exe);
		fput(exe);
	}
	/* The final mmput() waits for outstanding AIO; do that asynchronously. */
	mmput_async(mm);
	return args;
}

/**
 * kmonitor_args_number - complete the records for one descriptor
 * @args: The arguments, or NULL or an error if they could not be taken.
 * @event: The record that they continue; gets %KMONITOR_EVENT_TRUNCATED if
 *	they are not whole.
 * @max_parts: The most parts that may follow it.
 *
 * Context: Any, by the owner of @args.
 * Return: Number of records to append.
 */
u32 kmonitor_args_number(struct kmonitor_args *args,
			 struct kmonitor_event *event, u32 max_parts)
{
	u32 whole = IS_ERR_OR_NULL(args) ? 0 :
					   DIV_ROUND_UP(args->len, PART_SIZE);
	u32 nr = min(whole, max_parts);
	bool truncated = !nr || args->truncated || nr < whole;

	if (truncated)
		event->flags |= KMONITOR_EVENT_TRUNCATED;
	for (u32 i = 0; i < nr; i++) {
		struct kmonitor_exec_args *part = &args->part[i];

		part->time_ns = event->time_ns;
		part->type = KMONITOR_EXEC_ARGS;
		part->flags = truncated ? KMONITOR_EVENT_TRUNCATED : 0;
		part->cpu = event->cpu;
		part->part = i;
		part->nr_parts = nr;
		part->len = min(args->len - i * PART_SIZE, PART_SIZE);
	}
	return nr;
}
