// SPDX-License-Identifier: GPL-2.0-only
/* Follows a process and all below it through the mapped ring: mmap PID. */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kmonitor.h>

#ifndef __NR_kmonitor_init
#define __NR_kmonitor_init 500
#endif

struct ring {
	__u32 *tail;
	const struct kmonitor_event *records;
	__u32 nr;
};

static int map(struct ring *ring, int fd)
{
	struct kmonitor_info info;
	void *tail, *records;
	size_t size;

	if (ioctl(fd, KMONITOR_IOC_INFO, &info) || !info.mmap_size)
		return -1;
	tail = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, info.tail_offset);
	size = info.mmap_size - info.records_offset;
	records = mmap(NULL, size, PROT_READ, MAP_SHARED, fd,
		       info.records_offset);
	if (tail == MAP_FAILED || records == MAP_FAILED)
		return -1;
	ring->tail = tail;
	ring->records = records;
	ring->nr = info.ring_records;
	return 0;
}

/* The oldest record, or NULL. */
static const struct kmonitor_event *peek(const struct ring *ring)
{
	const struct kmonitor_event *e;

	e = &ring->records[*ring->tail % ring->nr];
	/* Pairs with the kernel's release: the record is whole. */
	if ((__u32)__atomic_load_n(&e->seq, __ATOMIC_ACQUIRE) !=
	    *ring->tail + 1)
		return NULL;
	return e;
}

static void consume(struct ring *ring)
{
	/* Pairs with the kernel's acquire: the record has been read. */
	__atomic_store_n(ring->tail, *ring->tail + 1, __ATOMIC_RELEASE);
}

int main(int argc, char **argv)
{
	struct kmonitor_filter tree = {
		.target = KMONITOR_TARGET_TREE,
		.events = KMONITOR_PROCESS_FORK | KMONITOR_PROCESS_EXEC |
			  KMONITOR_PROCESS_EXIT,
	};
	struct pollfd pfd = { .events = POLLIN };
	const struct kmonitor_event *e;
	struct ring ring;
	__u32 type = 0;

	if (argc < 2)
		return 2;
	tree.id = atoi(argv[1]);
	pfd.fd = syscall(__NR_kmonitor_init, NULL, 0, KMONITOR_CLOEXEC);
	if (map(&ring, pfd.fd) ||
	    ioctl(pfd.fd, KMONITOR_IOC_FILTER_ADD, &tree)) {
		perror("kmonitor");
		return 1;
	}
	while (type != KMONITOR_EMPTY) {
		e = peek(&ring);
		if (!e) {
			/* Also makes the kernel report a pending loss. */
			poll(&pfd, 1, -1);
			continue;
		}
		type = e->type;
		printf("%llu: type %#x, process %d\n",
		       (unsigned long long)e->seq, type, e->tgid);
		/* Only now: after a crash it would come again. */
		consume(&ring);
	}
	return 0;
}
