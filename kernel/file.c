// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file of a monitor: its creation, its operations and its end.
 */

#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/sched/signal.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <uapi/linux/kmonitor.h>

#include "entry.h"
#include "fdinfo.h"
#include "file.h"
#include "filter.h"
#include "hooks.h"
#include "ioctl.h"
#include "kill.h"
#include "limits.h"
#include "mmap.h"
#include "monitor.h"
#include "read.h"
#include "ring.h"
#include "wake.h"

#define ATTR_SIZE_VER0 32
#define DEFAULT_RING_RECORDS 4096U

/* How long a new descriptor may wait for closed ones to be freed. */
#define FREE_TIMEOUT (5 * HZ)

static struct workqueue_struct *free_queue;
/* Closed descriptors that are still charged, and those that no longer are. */
static atomic_t nr_closed;
static atomic_t nr_freed;
static DECLARE_WAIT_QUEUE_HEAD(freed);

static int try_to_charge(struct kmonitor *mon, u32 nr_pages)
{
	mon->ucounts = kmonitor_charge_instance();
	if (!mon->ucounts)
		return -EMFILE;
	mon->user = kmonitor_charge_pages(nr_pages);
	if (!IS_ERR(mon->user))
		return 0;
	kmonitor_uncharge_instance(mon->ucounts);
	return PTR_ERR(mon->user);
}

/*
 * Charges a descriptor and its ring to the calling user.
 *
 * A closed descriptor stays charged until it is freed, a grace period later.
 * Without that, a loop of open and close would hold memory without bound;
 * without the wait below, it would fail although the user has closed all its
 * descriptors.  Others may go on closing and opening: the wait has an end.
 */
static int charge(struct kmonitor *mon, u32 nr_pages)
{
	long left = FREE_TIMEOUT;
	int before, ret;

	do {
		/* Both pair with free_monitor_work(). */
		before = atomic_read_acquire(&nr_freed);
		ret = try_to_charge(mon, nr_pages);
		if ((ret != -EMFILE && ret != -EAGAIN) ||
		    (!atomic_read_acquire(&nr_closed) &&
		     atomic_read(&nr_freed) == before))
			break;
		left = wait_event_killable_timeout(
			freed, atomic_read(&nr_freed) != before, left);
	} while (left > 0);
	return ret == -EAGAIN ? -ENOMEM : ret;
}

static void uncharge(struct kmonitor *mon, u32 nr_pages)
{
	kmonitor_uncharge_pages(mon->user, nr_pages);
	kmonitor_uncharge_instance(mon->ucounts);
}

static void free_monitor(struct kmonitor *mon)
{
	const u32 nr_pages = mon->ring.nr_pages;

	kmonitor_filter_table_destroy(&mon->filters);
	kmonitor_ring_destroy(&mon->ring);
	uncharge(mon, nr_pages);
	free_percpu(mon->decided);
	kfree(mon);
}

/* No hook uses the monitor any more; its last wake-up may be under way. */
static void free_monitor_work(struct work_struct *work)
{
	struct kmonitor *mon =
		container_of(to_rcu_work(work), struct kmonitor, free);

	kmonitor_wake_stop(mon);
	free_monitor(mon);
	/* Pairs with charge(): uncharged, then counted, then not waited for. */
	atomic_inc_return_release(&nr_freed);
	atomic_dec_return_release(&nr_closed);
	wake_up_all(&freed);
}

static int kmonitor_release(struct inode *inode, struct file *file)
{
	struct kmonitor *mon = file->private_data;

	kmonitor_kill_on_close(&mon->filters);
	/* Hooks may use the entries until a grace period has passed. */
	kmonitor_filter_clear(&mon->filters);
	kmonitor_hooks_put();
	atomic_inc(&nr_closed);
	queue_rcu_work(free_queue, &mon->free);
	return 0;
}

static const struct file_operations kmonitor_fops = {
	.owner = THIS_MODULE,
	.read_iter = kmonitor_read_iter,
	.poll = kmonitor_poll,
	.fasync = kmonitor_fasync,
	.mmap = kmonitor_mmap,
	.unlocked_ioctl = kmonitor_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = kmonitor_release,
	.show_fdinfo = kmonitor_show_fdinfo,
};

static struct kmonitor *create_monitor(const struct kmonitor_attr *attr)
{
	const u32 nr_pages = kmonitor_ring_pages(attr->ring_records);
	struct kmonitor *mon;
	int ret;

	mon = kzalloc(sizeof(*mon), KMONITOR_GFP);
	if (!mon)
		return ERR_PTR(-ENOMEM);
	ret = charge(mon, nr_pages);
	if (ret)
		goto err_free;
	ret = kmonitor_ring_init(&mon->ring, attr->ring_records,
				 attr->wakeup_records);
	if (ret)
		goto err_uncharge;
	mon->decided = alloc_percpu_gfp(u64, KMONITOR_GFP);
	if (!mon->decided) {
		ret = -ENOMEM;
		goto err_destroy;
	}
	kmonitor_filter_table_init(&mon->filters);
	if (attr->wakeup_records > 1)
		mon->filters.named_ends = KMONITOR_EXITS;
	if (attr->report & KMONITOR_REPORT_EXEC_ARGS)
		kmonitor_filter_table_check_always(&mon->filters,
						   KMONITOR_PROCESS_EXEC);
	mutex_init(&mon->snapshot.lock);
	kmonitor_wake_init(mon, attr->wakeup_delay_us);
	mon->report = attr->report;
	INIT_RCU_WORK(&mon->free, free_monitor_work);
	return mon;

err_destroy:
	kmonitor_ring_destroy(&mon->ring);
err_uncharge:
	uncharge(mon, nr_pages);
err_free:
	kfree(mon);
	return ERR_PTR(ret);
}

/* Checks the attributes and replaces defaults by their values. */
static int validate_attr(struct kmonitor_attr *attr, unsigned int flags)
{
	const u32 max =
		rounddown_pow_of_two(READ_ONCE(kmonitor_max_ring_records));
	u32 size = attr->ring_records ?: min(DEFAULT_RING_RECORDS, max);

	if (flags & ~(KMONITOR_CLOEXEC | KMONITOR_NONBLOCK) ||
	    attr->report & ~KMONITOR_REPORT_EXEC_ARGS || attr->reserved[0] ||
	    attr->reserved[1] || size > max)
		return -EINVAL;
	size = roundup_pow_of_two(max(size, 2U));
	if (attr->wakeup_records > 1 &&
	    (attr->wakeup_records > size / 2 || !attr->wakeup_delay_us))
		return -EINVAL;
	attr->ring_records = size;
	attr->wakeup_records = max(attr->wakeup_records, 1U);
	return 0;
}

/* Makes a descriptor for the calling task. */
static int create_descriptor(const struct kmonitor_attr *attr,
			     unsigned int flags)
{
	struct kmonitor_attr validated = *attr;
	struct kmonitor *mon;
	struct file *file;
	int fd, ret;

	ret = validate_attr(&validated, flags);
	if (ret)
		return ret;
	fd = get_unused_fd_flags(flags & KMONITOR_CLOEXEC ? O_CLOEXEC : 0);
	if (fd < 0)
		return fd;
	mon = create_monitor(&validated);
	if (IS_ERR(mon)) {
		ret = PTR_ERR(mon);
		goto err_fd;
	}
	file = anon_inode_getfile(
		"[kmonitor]", &kmonitor_fops, mon,
		O_RDWR | (flags & KMONITOR_NONBLOCK ? O_NONBLOCK : 0));
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto err_free;
	}
	file->f_mode |= FMODE_NOWAIT;
	stream_open(NULL, file);
	kmonitor_hooks_get();
	fd_install(fd, file);
	return fd;

err_free:
	free_monitor(mon);
err_fd:
	put_unused_fd(fd);
	return ret;
}

/**
 * kmonitor_file_create - make a descriptor for the calling task
 * @uattr: Attributes, or NULL with a size of 0 for the defaults.
 * @size: Size of @uattr in bytes.
 * @flags: Flags of kmonitor_init().
 *
 * Context: May sleep.
 * Return: The descriptor, or -EINVAL, -E2BIG, -EFAULT, -EOPNOTSUPP, -EMFILE,
 *	-ENFILE or -ENOMEM as in kmonitor_init(2).
 */
int kmonitor_file_create(const struct kmonitor_attr __user *uattr, size_t size,
			 unsigned int flags)
{
	struct kmonitor_attr attr = {};
	int ret;

	if (uattr || size) {
		if (size < ATTR_SIZE_VER0)
			return -EINVAL;
		if (size > PAGE_SIZE)
			return -E2BIG;
		ret = copy_struct_from_user(&attr, sizeof(attr), uattr, size);
		if (ret)
			return ret;
	}
	return create_descriptor(&attr, flags);
}

static int __init kmonitor_file_init(void)
{
	free_queue = alloc_workqueue("kmonitor", WQ_UNBOUND, 0);
	return free_queue ? 0 : -ENOMEM;
}
fs_initcall(kmonitor_file_init);
