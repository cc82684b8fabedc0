// SPDX-License-Identifier: GPL-2.0-only
/* Shows the tree of the processes that exist. */

#include <stdio.h>

#include <kmon.h>

static int show(const struct kmon_process *process, unsigned int depth,
		void *arg)
{
	const size_t len = sizeof(process->comm);
	char comm[KMON_ESCAPE_MAX(sizeof(process->comm))];

	(void)arg;
	kmon_escape(process->comm, len, 0, comm, sizeof(comm));
	printf("%*s%d %s\n", 2 * (int)depth, "", process->tgid, comm);
	return 0;
}

int main(void)
{
	struct kmonitor_filter all = {
		.target = KMONITOR_TARGET_ALL,
		.events = KMONITOR_PROCESS_FORK | KMONITOR_PROCESS_EXIT,
	};
	int fd = kmon_open(NULL, KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);
	struct kmonitor_event event;
	struct kmon_table *table;
	int ret;

	if (fd < 0 || kmon_filter_add(fd, &all) ||
	    kmon_table_new(fd, 0, &table))
		return 1;
	do {
		while (kmon_read(fd, &event, 1) == 1) {
			if (kmon_table_update(table, &event))
				return 1;
		}
		ret = kmon_table_sync(table);
	} while (ret == 1);
	if (!ret)
		kmon_table_walk(table, 0, show, NULL);
	kmon_table_free(table);
	return !!ret;
}
