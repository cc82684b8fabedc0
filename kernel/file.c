// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file of a monitor: its creation, its operations and its end.
 */

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/sched/signal.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
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

static struct workqueue_struct *free_queue;
static atomic_t nr_closed;

/*
 * Charges a descriptor to the calling user.
 *
 * A closed descriptor stays charged until it is freed, a grace period later.
 * Without that, a loop of open and close would hold memory without bound;
 * without the wait below, it would fail with EMFILE although the user has
 * closed all its descriptors.  The number of tries is bounded because others
 * may go on closing and opening.
 */
static struct ucounts *charge_instance(void)
{
	struct ucounts *ucounts = NULL;
	bool more_to_free = true;

	for (int tries = 0; more_to_free && tries < 16; tries++) {
		ucounts = kmonitor_charge_instance();
		if (ucounts || signal_pending(current))
			break;
		more_to_free = tries == 0 || atomic_read(&nr_closed);
		if (more_to_free) {
			rcu_barrier();
			flush_workqueue(free_queue);
		}
	}
	return ucounts;
}

static void free_monitor(struct kmonitor *mon)
{
	kmonitor_filter_table_destroy(&mon->filters);
	kmonitor_ring_destroy(&mon->ring);
	kmonitor_uncharge_instance(mon->ucounts);
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
	atomic_dec(&nr_closed);
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
	struct kmonitor *mon;
	int ret;

	mon = kzalloc(sizeof(*mon), KMONITOR_GFP);
	if (!mon)
		return ERR_PTR(-ENOMEM);
	mon->ucounts = charge_instance();
	if (!mon->ucounts) {
		ret = -EMFILE;
		goto err_free;
	}
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
	kmonitor_uncharge_instance(mon->ucounts);
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
