// SPDX-License-Identifier: GPL-2.0-only
/* Turns names of events into the bits of a filter: names exec exit. */

#include <stdio.h>

#include <kmon.h>

int main(int argc, char **argv)
{
	uint32_t events = 0, type;

	for (int i = 1; i < argc; i++) {
		type = kmon_event_by_name(argv[i]);
		if (!type) {
			fprintf(stderr, "%s is no event\n", argv[i]);
			return 1;
		}
		events |= type;
	}
	printf("%#x\n", events);
	return 0;
}
