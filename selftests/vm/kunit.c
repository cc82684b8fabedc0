// SPDX-License-Identifier: GPL-2.0-only
/* Counts the tests that the kernel ran of itself when it booted. */

#include <stdio.h>
#include <string.h>

#include "init.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define RESULTS "/sys/kernel/debug/kunit/%s/results"

static const char *const suites[] = { "kmonitor_entry", "kmonitor_mark_set",
				      "kmonitor_record", "kmonitor_ring",
				      "kmonitor_target" };

/* A case's line is indented, that of its suite is not. */
static void check_suite(struct results *results, const char *suite)
{
	unsigned int passed = 0, failed = 0, plan = 0;
	char line[1024], path[128];
	FILE *file;

	snprintf(path, sizeof(path), RESULTS, suite);
	file = fopen(path, "re");
	if (!file) {
		fail(results, "%s: %m", path);
		return;
	}
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		puts(line);
		if (sscanf(line, "    1..%u", &plan) == 1)
			continue;
		if (!strncmp(line, "    ok ", 7)) {
			passed++;
		} else if (!strncmp(line, "    not ok ", 11)) {
			failed++;
			fail(results, "%s: %s", suite, line + 4);
		}
	}
	fclose(file);
	if (!plan || passed + failed != plan)
		fail(results, "%s: %u tests planned, %u run", suite, plan,
		     passed + failed);
	results->passed += passed;
}

/* Checks all suites, which must be there. */
void check_kunit(struct results *results)
{
	for (size_t i = 0; i < ARRAY_SIZE(suites); i++) {
		printf("== %s\n", suites[i]);
		check_suite(results, suites[i]);
	}
}
