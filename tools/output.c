// SPDX-License-Identifier: GPL-2.0-only
/* Where a tool writes to, see output.h. */

#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "kmon.h"
#include "output.h"

void output_reader_gone(void)
{
	raise(SIGPIPE);
	_exit(EXIT_SIGNAL(SIGPIPE));
}

int output_failed(const struct output *output, int error)
{
	if (error == EPIPE)
		output_reader_gone();
	complain("%s%s: %s", output->name ? "-o " : "writing standard output",
		 output->name ? output->name : "", strerror(error));
	return EXIT_FAILURE;
}

int output_open(struct output *output)
{
	if (strcmp(nl_langinfo(CODESET), "UTF-8"))
		output->text_flags |= KMON_TEXT_ASCII;
	output->file = output->name ? fopen(output->name, "we") : stdout;
	return output->file ? 0 : output_failed(output, errno);
}

int output_flush(const struct output *output)
{
	return fflush(output->file) ? output_failed(output, errno) : 0;
}

int output_close(struct output *output)
{
	FILE *file = output->file;

	output->file = NULL;
	return file && fclose(file) ? output_failed(output, errno) : 0;
}

int output_json(const struct output *output, struct json_object *object)
{
	const char *text = NULL;
	int n = 0;

	if (object)
		text = json_object_to_json_string_ext(object, JSON_FLAGS);
	if (text)
		n = fprintf(output->file, "%s\n", text);
	if (n < 0)
		n = -errno;
	json_object_put(object);
	if (n < 0)
		return output_failed(output, -n);
	if (text)
		return 0;
	complain("not enough memory for a record");
	return EXIT_FAILURE;
}
