// SPDX-License-Identifier: GPL-2.0-only
/* A kernel without CONFIG_KMONITOR boots, and has no such system call. */

#include "kselftest_harness.h"

#include <stdio.h>
#include <string.h>

#include "common.h"

static bool kernel_has(const char *symbol)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	char name[256];
	bool found = false;

	check(file, "/proc/kallsyms: %s", km_error(errno));
	while (!found && fscanf(file, "%*s %*s %255s%*[^\n]", name) == 1)
		found = !strcmp(name, symbol);
	fclose(file);
	return found;
}

TEST(the_system_call_is_there_iff_it_is_configured)
{
	int fd = km_init(NULL, 0, 0);

	ASSERT_TRUE(kernel_has("do_exit"));
	EXPECT_TRUE(kernel_has("__kmonitor_process_exit") ? fd >= 0 :
							    fd == -ENOSYS);
}

TEST_HARNESS_MAIN
