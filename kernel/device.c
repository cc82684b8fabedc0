// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/kmonitor: descriptors for users that the permissions of the node admit.
 *
 * Only root may open the node until the administrator changes that.  A
 * descriptor gets the credentials and the namespaces of the task that calls
 * KMONITOR_IOC_NEW, not of the task that opened the node: passing an open node
 * on lets others make descriptors, and gives them no other right.
 */

#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/miscdevice.h>
#include <uapi/linux/kmonitor.h>

#include "copy.h"
#include "file.h"

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct kmonitor_new new;
	int ret;

	if (_IOC_TYPE(cmd) != KMONITOR_IOC_MAGIC ||
	    _IOC_NR(cmd) != _IOC_NR(KMONITOR_IOC_NEW))
		return -ENOTTY;
	ret = kmonitor_copy_in(&new, sizeof(new), (void __user *)arg,
			       _IOC_SIZE(cmd));
	if (ret)
		return ret;
	return kmonitor_file_create(u64_to_user_ptr(new.attr), new.size,
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
