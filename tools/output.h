/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a tool writes to: standard output, or the file of -o. */
#ifndef KMON_TOOLS_OUTPUT_H
#define KMON_TOOLS_OUTPUT_H

#include <stdio.h>

#include <json-c/json.h>

#define JSON_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

struct output {
	/* The file of -o, or NULL for standard output. */
	const char *name;
	FILE *file;
	/* KMON_TEXT_ASCII unless the locale's characters are UTF-8. */
	unsigned int text_flags;
};

/* Each gives 0, or EXIT_FAILURE after a complaint. */
int output_open(struct output *output);
int output_flush(const struct output *output);
int output_close(struct output *output);

/* A line of JSON.  Takes the object, or NULL if there was no memory for it. */
int output_json(const struct output *output, struct json_object *object);

/*
 * Complains of an error of errno; gives EXIT_FAILURE.  When the reader of a pipe
 * has gone, the tool ends as by the signal, also if that is ignored.
 */
int output_failed(const struct output *output, int error);

/* For tools whose events wait for more than their output: who reads it has gone. */
__attribute__((noreturn)) void output_reader_gone(void);

#endif /* KMON_TOOLS_OUTPUT_H */
