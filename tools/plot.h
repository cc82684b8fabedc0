/* SPDX-License-Identifier: GPL-2.0-only */
/* A picture of processes: their records, and where each is drawn. */
#ifndef KMON_TOOLS_PLOT_H
#define KMON_TOOLS_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "exec_args.h"
#include "kmon.h"

#define NO_PROCESS SIZE_MAX

enum plot_end {
	PLOT_ALIVE,
	PLOT_ENDED,
	/* It ended, but the record of that was lost. */
	PLOT_END_LOST,
};

/* Times are nanoseconds of CLOCK_BOOTTIME. */
struct plot_process {
	int32_t pid;
	/* Its parent when it began; the index is below that of the process. */
	int32_t ppid;
	size_t parent;
	uint64_t start_ns;
	int64_t begin_ns;
	/* The first exec, 0 if there was none. */
	int64_t exec_ns;
	int64_t end_ns;
	enum plot_end end;
	/* It is older than the first record. */
	bool older;
	bool redacted;
	char comm[16];
	/* From the last exec, harmless to show, or NULL. */
	char *path;
	char *args;
	/* If it has ended. */
	struct kmonitor_exit exit;

	/* plot_programs.c */
	size_t program;

	/* plot_layout.c: the row, and the height of the rows below it. */
	size_t first_child;
	size_t next_sibling;
	size_t row;
	size_t rows;
	double left;
	double right;
	double block_right;
};

struct plot_loss {
	int64_t first_ns;
	int64_t last_ns;
	uint64_t count;
};

/* All processes of one name. */
struct plot_program {
	char comm[16];
	size_t index;
	size_t processes;
	uint64_t cpu_ns;
	uint64_t life_ns;
	unsigned int colour;
};

struct plot {
	struct plot_process *processes;
	size_t nr;
	struct plot_loss *losses;
	size_t nr_losses;
	/* struct by_pid, of tsearch(3): the newest process of each id. */
	void *by_pid;
	/* The span of time. */
	int64_t first_ns;
	int64_t last_ns;
	/* Totals of what is shown, or of trees that ended if those know more. */
	uint64_t members;
	uint64_t failed;
	uint64_t cpu_ns;
	uint64_t trees_ended;
	struct kmonitor_empty empty;
	uint64_t lost;
	/* The command that was run, as plot_subject() shows it, or NULL. */
	char *command;

	/* plot_programs.c: the most time first. */
	struct plot_program *programs;
	size_t nr_programs;

	/* plot_layout.c */
	size_t nr_rows;
	bool packed;
};

/* plot_model.c: processes of records.  0, or -ENOMEM. */
int plot_add(struct plot *plot, const struct shown *shown);
/* The title, if records do not have it. */
int plot_set_command(struct plot *plot, char *const *argv);
/* After the last record; one_tree: an EMPTY may be that of all. */
void plot_finish(struct plot *plot, bool one_tree);
void plot_free(struct plot *plot);
static inline bool plot_failed(const struct plot_process *process)
{
	return process->end == PLOT_ENDED && process->exit.status;
}
static inline uint64_t plot_cpu_ns(const struct plot_process *process)
{
	return process->exit.utime_ns + process->exit.stime_ns;
}

/* plot_programs.c: whose they are, and their colours.  0, or -ENOMEM. */
#define PLOT_COLOURS 24
extern const char *const plot_colours[PLOT_COLOURS];
int plot_find_programs(struct plot *plot);

/* plot_layout.c: rows, and places in a picture so wide.  0, or -ENOMEM. */
int plot_lay_out(struct plot *plot, double width);

/* plot_words.c: words for people. */
#define PLOT_WORDS_MAX 96
/* Such as "1.25 s". */
void plot_duration(uint64_t ns, char words[PLOT_WORDS_MAX]);
/* Such as "exit 1", "still running". */
void plot_end_words(const struct plot_process *process,
		    char words[PLOT_WORDS_MAX]);
/* A name, harmless to show; what has none is "?". */
void plot_name(const char comm[16], char words[PLOT_WORDS_MAX]);
/* The subject of the plot: a command, that of the only tree, or how many there are. */
void plot_subject(const struct plot *plot, char *words, size_t size);

/* plot_axis.c: distance of the marks of a time axis with that many at most. */
int64_t plot_tick(int64_t span_ns, unsigned int max);
/* Such as "1:30" of a mark. */
void plot_tick_words(int64_t ns, int64_t tick_ns, char words[PLOT_WORDS_MAX]);

/* plot_xml.c: text in an SVG. */
/* At most that many characters of a text that is harmless to show. */
void plot_put_text(FILE *file, const char *text, size_t max);
/* About the width of that. */
double plot_text_width(const char *text, size_t max, double size);

/* plot_bars.c: the bars of processes, below a place. */
struct plot_bars {
	double left;
	double top;
	double width;
	double row_height;
};
double plot_row_height(const struct plot *plot);
void plot_put_bars(const struct plot *plot, const struct plot_bars *bars,
		   FILE *file);

/* plot_svg.c, plot_trace.c: ferror() shows failed writes.  0, or -ENOMEM. */
int plot_write_svg(struct plot *plot, FILE *file);
int plot_write_trace(struct plot *plot, FILE *file);

/* plot_output.c: a file that appears when it is whole. */
struct plot_output {
	/* NULL: standard output. */
	const char *name;
	FILE *file;
	char *temporary;
	char *target;
};

/* Before the run, so that what can't be written is known early.  0 or -errno. */
int plot_output_check(struct plot_output *output);
int plot_output_open(struct plot_output *output);
/* Gives the file its name, unless there was an error. */
int plot_output_close(struct plot_output *output);
void plot_output_discard(struct plot_output *output);

#endif /* KMON_TOOLS_PLOT_H */
