// SPDX-License-Identifier: GPL-2.0-only
/* The words in the pictures. */

#include <string.h>

#include "common.h"
#include "plot.h"

void plot_duration(uint64_t ns, char words[PLOT_WORDS_MAX])
{
	const uint64_t second = NSEC_PER_SEC;
	const uint64_t minutes = ns / second / 60;

	if (!ns)
		strcpy(words, "0 s");
	else if (ns < 1000000)
		snprintf(words, PLOT_WORDS_MAX, "%.0f \u00b5s",
			 (double)ns / 1e3);
	else if (ns < second)
		snprintf(words, PLOT_WORDS_MAX, "%.*f ms",
			 ns < 100000000 ? 1 : 0, (double)ns / 1e6);
	else if (minutes < 2)
		snprintf(words, PLOT_WORDS_MAX, "%.*f s",
			 ns < 10 * second ? 2 : 1, (double)ns / 1e9);
	else
		snprintf(words, PLOT_WORDS_MAX, "%llu min %llu s",
			 (unsigned long long)minutes,
			 (unsigned long long)(ns / second % 60));
}

void plot_end_words(const struct plot_process *process,
		    char words[PLOT_WORDS_MAX])
{
	switch (process->end) {
	case PLOT_ALIVE:
		snprintf(words, PLOT_WORDS_MAX, "still running");
		return;
	case PLOT_END_LOST:
		snprintf(words, PLOT_WORDS_MAX,
			 "the record of its end is lost");
		return;
	case PLOT_ENDED:
		break;
	}
	if (process->redacted)
		snprintf(words, PLOT_WORDS_MAX, "ended, status not visible");
	else
		kmon_format_status(process->exit.status, words, PLOT_WORDS_MAX);
}

void plot_name(const char comm[16], char words[PLOT_WORDS_MAX])
{
	if (*comm)
		kmon_escape(comm, 16, 0, words, PLOT_WORDS_MAX);
	else
		strcpy(words, "?");
}

void plot_subject(const struct plot *plot, char *words, size_t size)
{
	const struct plot_process *root = NULL;
	char name[PLOT_WORDS_MAX];
	size_t roots = 0;

	for (size_t i = 0; i < plot->nr; i++) {
		if (plot->processes[i].parent != NO_PROCESS)
			continue;
		if (!roots++)
			root = &plot->processes[i];
	}
	if (plot->command) {
		snprintf(words, size, "%s", plot->command);
	} else if (!root) {
		snprintf(words, size, "no processes");
	} else if (roots > 1) {
		snprintf(words, size, "%zu trees of processes", roots);
	} else if (root->args && *root->args) {
		snprintf(words, size, "%s", root->args);
	} else {
		plot_name(root->comm, name);
		snprintf(words, size, "%s", name);
	}
}
