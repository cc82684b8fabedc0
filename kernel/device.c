// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/kmonitor: descriptors for whom the node's permissions let in.
 *
 * The node is root's own until the administrator opens it to others.  What
 * counts for a descriptor are the credentials and the namespaces of the task
 * that calls KMONITOR_IOC_NEW, whoever has opened the node: to pass an open
 * node on lets others make descriptors, and gives them no other right.
 */

#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/miscdevice.h>
#include <linux/uaccess.h>

#include "fd.h"

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	size_t size = _IOC_SIZE(cmd);
	struct kmonitor_new new;
	int ret;

	if (_IOC_TYPE(cmd) != KMONITOR_IOC_MAGIC ||
	    _IOC_NR(cmd) != _IOC_NR(KMONITOR_IOC_NEW))
		return -ENOTTY;
	if (size < sizeof(new))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(&new, sizeof(new), (void __user *)arg,
				    size);
	if (ret)
		return ret;
	return kmonitor_fd_create_user(u64_to_user_ptr(new.attr), new.size,
				       new.flags);
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kmonitor",
	.fops = &device_fops,
	.mode = 0600,
};

static int __init kmonitor_device_init(void)
{
	return misc_register(&device);
}
device_initcall(kmonitor_device_init);
