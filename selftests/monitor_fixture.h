/* SPDX-License-Identifier: GPL-2.0-only */
/* The fixture of the tests that need no more than a descriptor and a gate. */
#ifndef KMONITOR_SELFTESTS_MONITOR_FIXTURE_H
#define KMONITOR_SELFTESTS_MONITOR_FIXTURE_H

#include "kselftest_harness.h"

#include "common.h"

FIXTURE(monitor)
{
	int fd;
	int gate[2];
	struct km_log log;
};

FIXTURE_SETUP(monitor)
{
	self->fd = km_open(0);
	km_gate(self->gate);
}

FIXTURE_TEARDOWN(monitor)
{
	close(self->fd);
}

#endif /* KMONITOR_SELFTESTS_MONITOR_FIXTURE_H */
