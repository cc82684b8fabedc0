// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exactness while filters are edited: each descriptor gets each event once,
 * however many there are, whichever of its filters decides.
 */

#include "kselftest_harness.h"

#include <pthread.h>
#include <sys/prctl.h>

#include "common.h"

#define NR 80
#define NAMES (KMONITOR_COMM)

/* Renames itself when asked, each time one event for all descriptors. */
struct producer {
	pthread_t thread;
	unsigned int rounds;
	bool done;
};

static void *rename_often(void *arg)
{
	struct producer *producer = arg;

	for (unsigned int i = 0; i < producer->rounds; i++)
		must(prctl(PR_SET_NAME, "producer"));
	__atomic_store_n(&producer->done, true, __ATOMIC_RELEASE);
	return NULL;
}

FIXTURE(monitors)
{
	int fd[NR];
};

FIXTURE_VARIANT(monitors)
{
	uint32_t first;
	uint32_t second;
	uint32_t id;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(monitors, process_and_all) {
	KMONITOR_TARGET_PROCESS, KMONITOR_TARGET_ALL, 0
};
FIXTURE_VARIANT_ADD(monitors, tree_and_uid) {
	KMONITOR_TARGET_TREE, KMONITOR_TARGET_UID, 0
};
FIXTURE_VARIANT_ADD(monitors, uid_and_all) {
	KMONITOR_TARGET_UID, KMONITOR_TARGET_ALL, 0
};
/* clang-format on */

FIXTURE_SETUP(monitors)
{
	for (int i = 0; i < NR; i++) {
		self->fd[i] = km_open(16384);
		km_add(self->fd[i], variant->first, variant->id, NAMES, 1);
		km_add(self->fd[i], variant->second, variant->id, NAMES, 2);
	}
}

FIXTURE_TEARDOWN(monitors)
{
	for (int i = 0; i < NR; i++)
		close(self->fd[i]);
}

static unsigned int count_names(int fd)
{
	struct kmonitor_event event[64];
	unsigned int nr = 0;
	int got;

	while ((got = km_read(fd, event, 64)) > 0) {
		for (int i = 0; i < got; i++) {
			check(event[i].type == KMONITOR_COMM, "a %s",
			      km_type_name(event[i].type));
			nr++;
		}
	}
	return nr;
}

/*
 * Events of a thread while the more specific filter of each descriptor is
 * widened and narrowed in turn: one of the two always wants them.
 */
TEST_F(monitors, edits_neither_lose_nor_double_an_event)
{
	struct kmonitor_filter filter = {
		.target = variant->first,
		.id = variant->id,
	};
	struct producer producer = { .rounds = km_scale(3000, 400) };
	unsigned int edits = 0;

	/* With another event, clearing this one does not remove the filter. */
	filter.events = KMONITOR_SID;
	filter.cookie = 1;
	for (int i = 0; i < NR; i++) {
		filter.handle = 0;
		ASSERT_EQ(0, km_ioctl(self->fd[i], KMONITOR_IOC_FILTER_ADD,
				      &filter));
	}
	filter.events = NAMES;
	ASSERT_EQ(0, pthread_create(&producer.thread, NULL, rename_often,
				    &producer));
	for (unsigned int i = 0;
	     !__atomic_load_n(&producer.done, __ATOMIC_ACQUIRE); i++, edits++) {
		/* The last ones are asked last. */
		const int fd = self->fd[NR - 1 - i / 2 % (NR / 2)];

		filter.handle = 0;
		ASSERT_EQ(0, km_ioctl(fd,
				      i % 2 ? KMONITOR_IOC_FILTER_ADD :
					      KMONITOR_IOC_FILTER_DEL,
				      &filter));
	}
	pthread_join(producer.thread, NULL);
	EXPECT_LT(10, edits);
	TH_LOG("%u edits", edits);
	for (int i = 0; i < NR; i++)
		EXPECT_EQ(producer.rounds, count_names(self->fd[i]));
}

TEST_HARNESS_MAIN
