/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines made of fields that the user chooses. */
#ifndef KMON_TOOLS_TEMPLATE_H
#define KMON_TOOLS_TEMPLATE_H

#include <stdio.h>

#include "exec_args.h"

/* The fields, for the help. */
#define TEMPLATE_FIELDS                                                   \
	"{time} {event} {pid} {tid} {ppid} {uid} {user} {comm} {args} "   \
	"{details} {status} {age} {cpu} {seq} {cookie} {start} {cgroup} " \
	"{cgroup_id} {container}"

struct line_template;

/*
 * Makes a template of a text with fields such as {pid}, padded to a width as in
 * {pid:7} or, to the left, {comm:-15}; "{{" and "}}" are braces, and what
 * \t and \n are in C, they are here.  NULL with what is wrong in *error.
 */
struct line_template *template_new(const char *text, const char **error);
void template_free(struct line_template *template);

/* The records are of another system or boot: their ids are not looked up. */
void template_set_foreign(struct line_template *template);

/* Whether it has {args}, which must be asked for. */
bool template_has_args(const struct line_template *template);

/* Writes a line; flags are those of the library's text functions. */
int template_write(const struct line_template *template, FILE *file,
		   const struct shown *shown, unsigned int flags);

#endif /* KMON_TOOLS_TEMPLATE_H */
