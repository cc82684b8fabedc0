/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The descriptor: filter and ring behind one file.
 */
#ifndef _KMONITOR_FD_H
#define _KMONITOR_FD_H

#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/poll.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "filter.h"
#include "ring.h"
#include "snapshot.h"

struct fasync_struct;
struct file;
struct iov_iter;
struct kiocb;
struct seq_file;
struct ucounts;
struct vm_area_struct;

/**
 * struct kmonitor - what is behind a descriptor
 * @filters: The filter.  Hooks reach the descriptor through its entries.
 * @ring: The records.
 * @snapshot: The snapshot in progress.
 * @wait: Readers and pollers.
 * @fasync: Who gets a signal, as fasync_helper() keeps it.
 * @wake: Wakes readers and pollers where the task must not tell by its timing.
 * @signal: Sends the signal.
 * @timer: Announces records below the watermark.
 * @delay_ns: When; never changes.
 * @report: Bits of KMONITOR_REPORT_*; never changes.
 * @ucounts: The user that it is charged to.
 * @free: Frees it a grace period after the last close.
 */
struct kmonitor {
	struct kmonitor_filters filters;
	struct kmonitor_ring ring;
	struct kmonitor_cursor snapshot;
	wait_queue_head_t wait;
	struct fasync_struct *fasync;
	struct irq_work wake;
	struct work_struct signal;
	struct hrtimer timer;
	u64 delay_ns;
	u32 report;
	struct ucounts *ucounts;
	struct rcu_work free;
};

int kmonitor_fd_create(const struct kmonitor_attr *attr, unsigned int flags);
int kmonitor_fd_create_user(const struct kmonitor_attr __user *uattr,
			    size_t size, unsigned int flags);

/* read.c */
ssize_t kmonitor_read_iter(struct kiocb *iocb, struct iov_iter *to);
__poll_t kmonitor_poll(struct file *file, poll_table *wait);
int kmonitor_fasync(int fd, struct file *file, int on);

/* mmap.c */
void kmonitor_mmap_info(const struct kmonitor_ring *ring,
			struct kmonitor_info *info);
int kmonitor_mmap(struct file *file, struct vm_area_struct *vma);

/* ioctl.c */
long kmonitor_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* fdinfo.c */
void kmonitor_show_fdinfo(struct seq_file *m, struct file *file);

/* hooks.c */
void kmonitor_hooks_get(void);
void kmonitor_hooks_put(void);

/* empty.c */
void kmonitor_flush_pending(struct kmonitor *mon);

#endif /* _KMONITOR_FD_H */
