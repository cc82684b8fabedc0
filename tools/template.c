// SPDX-License-Identifier: GPL-2.0-only
/* Lines made of fields that the user chooses, see template.h. */

#include <ctype.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common.h"
#include "template.h"

#define FIELD_MAX KMON_ARGS_TEXT_MAX

struct context {
	const struct shown *shown;
	bool foreign;
	unsigned int flags;
	char *buf;
};

struct field {
	const char *name;
	void (*write)(const struct context *context);
};

struct piece {
	/* A field, or a text of that length. */
	const struct field *field;
	const char *text;
	size_t len;
	int width;
};

struct line_template {
	char *text;
	bool foreign;
	size_t nr;
	struct piece pieces[];
};

static void put_number(const struct context *context, long long number)
{
	snprintf(context->buf, FIELD_MAX, "%lld", number);
}

static void put_seconds(const struct context *context, int64_t ns)
{
	snprintf(context->buf, FIELD_MAX, "%.6f", (double)ns / NSEC_PER_SEC);
}

static const struct kmonitor_event *event_of(const struct context *context)
{
	return &context->shown->event;
}

static void put_time(const struct context *context)
{
	const int64_t ns = (int64_t)event_of(context)->time_ns +
			   context->shown->wall_offset;
	const time_t seconds = ns / NSEC_PER_SEC;
	struct tm tm = {};
	size_t len;

	if (context->flags & KMON_TEXT_RELATIVE) {
		put_seconds(context, ns);
		return;
	}
	localtime_r(&seconds, &tm);
	len = strftime(context->buf, FIELD_MAX, "%FT%T", &tm);
	snprintf(context->buf + len, FIELD_MAX - len, ".%06d",
		 (int)(ns % NSEC_PER_SEC / 1000));
}

static void put_event(const struct context *context)
{
	const char *name = kmon_event_name(event_of(context)->type);

	snprintf(context->buf, FIELD_MAX, "%s", name ? name : "unknown");
}

static void put_pid(const struct context *context)
{
	put_number(context, event_of(context)->tgid);
}

static void put_tid(const struct context *context)
{
	put_number(context, event_of(context)->pid);
}

static void put_ppid(const struct context *context)
{
	put_number(context, event_of(context)->ppid);
}

/* Empty if it may not be seen. */
static void put_uid(const struct context *context)
{
	if (event_of(context)->uid != UINT32_MAX)
		put_number(context, event_of(context)->uid);
}

/* Users come in rows: the last one is remembered. */
static void put_user(const struct context *context)
{
	static char name[256];
	static uint32_t last = UINT32_MAX;
	const uint32_t uid = event_of(context)->uid;
	const struct passwd *user;

	if (uid == UINT32_MAX)
		return;
	if (uid != last) {
		user = context->foreign ? NULL : getpwuid(uid);
		if (user)
			snprintf(name, sizeof(name), "%s", user->pw_name);
		else
			snprintf(name, sizeof(name), "%u", uid);
		last = uid;
	}
	kmon_escape(name, sizeof(name), context->flags, context->buf,
		    FIELD_MAX);
}

static void put_comm(const struct context *context)
{
	kmon_escape(event_of(context)->comm, sizeof(event_of(context)->comm),
		    context->flags, context->buf, FIELD_MAX);
}

static void put_args(const struct context *context)
{
	kmon_format_args(context->shown->args, context->shown->args_len,
			 context->flags, context->buf, FIELD_MAX);
}

static void put_details(const struct context *context)
{
	kmon_format_details(event_of(context), context->flags, context->buf,
			    FIELD_MAX);
}

static void put_status(const struct context *context)
{
	const struct kmonitor_event *event = event_of(context);

	if (event->type & (KMONITOR_PROCESS_EXIT | KMONITOR_THREAD_EXIT) &&
	    !(event->flags & KMONITOR_EVENT_REDACTED))
		kmon_format_status(event->exit.status, context->buf, FIELD_MAX);
	else if (event->type == KMONITOR_EMPTY)
		kmon_format_status(event->empty.root_status, context->buf,
				   FIELD_MAX);
}

static void put_age(const struct context *context)
{
	const struct kmonitor_event *event = event_of(context);

	if (event->start_ns)
		put_seconds(context,
			    (int64_t)(event->time_ns - event->start_ns));
}

static void put_cpu(const struct context *context)
{
	put_number(context, event_of(context)->cpu);
}

static void put_seq(const struct context *context)
{
	put_number(context, (long long)event_of(context)->seq);
}

static void put_cookie(const struct context *context)
{
	snprintf(context->buf, FIELD_MAX, "%llu",
		 (unsigned long long)event_of(context)->cookie);
}

static void put_start(const struct context *context)
{
	put_seconds(context, (int64_t)event_of(context)->start_ns);
}

static void put_cgroup_id(const struct context *context)
{
	snprintf(context->buf, FIELD_MAX, "%llu",
		 (unsigned long long)event_of(context)->cgroup_id);
}

/* The path of the cgroup, or NULL. */
static const char *find_cgroup(const struct context *context)
{
	static struct kmon_cgroups *cgroups;
	const uint64_t id = event_of(context)->cgroup_id;
	const char *path;

	if (!id || context->foreign ||
	    (!cgroups && kmon_cgroups_new(NULL, &cgroups)) ||
	    kmon_cgroup_path(cgroups, id, &path))
		return NULL;
	return path;
}

static void put_cgroup(const struct context *context)
{
	const char *path = find_cgroup(context);

	if (!path)
		path = "unresolved";
	kmon_escape(path, strlen(path), context->flags, context->buf,
		    FIELD_MAX);
}

static void put_container(const struct context *context)
{
	static const char *const kinds[] = {
		[KMON_CONTAINER_UNIT] = "unit",
		[KMON_CONTAINER_DOCKER] = "docker",
		[KMON_CONTAINER_CONTAINERD] = "containerd",
		[KMON_CONTAINER_PODMAN] = "podman",
		[KMON_CONTAINER_CRIO] = "crio",
		[KMON_CONTAINER_KUBERNETES] = "kubernetes",
	};
	const char *path = find_cgroup(context);
	struct kmon_container container;
	int len;

	if (!path) {
		snprintf(context->buf, FIELD_MAX, "unresolved");
		return;
	}
	/* It is known to be of none. */
	if (kmon_cgroup_container(path, &container))
		return;
	len = snprintf(context->buf, FIELD_MAX, "%s:", kinds[container.kind]);
	kmon_escape(container.id, container.id_len, context->flags,
		    context->buf + len, FIELD_MAX - len);
}

static const struct field fields[] = {
	{ "time", put_time },
	{ "event", put_event },
	{ "pid", put_pid },
	{ "tid", put_tid },
	{ "ppid", put_ppid },
	{ "uid", put_uid },
	{ "user", put_user },
	{ "comm", put_comm },
	{ "args", put_args },
	{ "details", put_details },
	{ "status", put_status },
	{ "age", put_age },
	{ "cpu", put_cpu },
	{ "seq", put_seq },
	{ "cookie", put_cookie },
	{ "start", put_start },
	{ "cgroup", put_cgroup },
	{ "cgroup_id", put_cgroup_id },
	{ "container", put_container },
};

static const struct field *find_field(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (strlen(fields[i].name) == len &&
		    !memcmp(fields[i].name, name, len))
			return &fields[i];
	}
	return NULL;
}

/* The width behind a colon; false if it is none. */
static bool parse_width(const char *text, const char *end, int *width)
{
	char *stop;

	*width = (int)strtol(text, &stop, 10);
	return stop == end && *width > -1000 && *width < 1000 && *width &&
	       (isdigit((unsigned char)*text) || *text == '-');
}

/* Takes "{name:width}".  NULL with what is wrong in *error. */
static const char *parse_field(const char *at, struct piece *piece,
			       const char **error)
{
	const char *end = strchr(at, '}');
	const char *colon;

	if (!end) {
		*error = "a field without its closing brace";
		return NULL;
	}
	colon = memchr(at, ':', end - at);
	piece->field = find_field(at + 1, (colon ? colon : end) - at - 1);
	if (!piece->field) {
		*error = "an unknown field; there are " TEMPLATE_FIELDS;
		return NULL;
	}
	if (colon && !parse_width(colon + 1, end, &piece->width)) {
		*error = "a width that is no number from -999 to 999";
		return NULL;
	}
	return end + 1;
}

static const char *parse_text(const char *at, struct piece *piece)
{
	const char special = at[0] == '\\' && at[1] == 't'  ? '\t' :
			     at[0] == '\\' && at[1] == 'n'  ? '\n' :
			     at[0] == '\\' && at[1] == '\\' ? '\\' :
							      0;

	piece->text = special == '\t' ? "\t" :
		      special == '\n' ? "\n" :
		      special	      ? "\\" :
					at;
	if (special) {
		piece->len = 1;
		return at + 2;
	}
	if (*at == '{' || *at == '}' || *at == '\\') {
		piece->len = 1;
		return at + (at[1] == *at ? 2 : 1);
	}
	piece->len = strcspn(at, "{}\\");
	return at + piece->len;
}

struct line_template *template_new(const char *text, const char **error)
{
	struct line_template *template;
	const char *at;

	/* No piece is shorter than a byte. */
	template = calloc(1, sizeof(*template) +
				     strlen(text) * sizeof(struct piece));
	if (template)
		template->text = strdup(text);
	if (!template || !template->text) {
		free(template);
		*error = "not enough memory";
		return NULL;
	}
	for (at = template->text; at && *at; template->nr++) {
		struct piece *piece = &template->pieces[template->nr];

		if (*at == '{' && at[1] != '{')
			at = parse_field(at, piece, error);
		else
			at = parse_text(at, piece);
	}
	if (at)
		return template;
	template_free(template);
	return NULL;
}

void template_free(struct line_template *template)
{
	if (template)
		free(template->text);
	free(template);
}

bool template_has_args(const struct line_template *template)
{
	for (size_t i = 0; i < template->nr; i++) {
		const struct field *field = template->pieces[i].field;

		if (field && field->write == put_args)
			return true;
	}
	return false;
}

/* By characters, since printf() pads by bytes. */
static void put_padded(FILE *file, const char *text, int width)
{
	for (const char *at = text; *at && width; at++) {
		if ((*at & 0xc0) != 0x80)
			width += width > 0 ? -1 : 1;
	}
	if (width > 0)
		fprintf(file, "%*s", width, "");
	fputs(text, file);
	if (width < 0)
		fprintf(file, "%*s", -width, "");
}

void template_set_foreign(struct line_template *template)
{
	template->foreign = true;
}

int template_write(const struct line_template *template, FILE *file,
		   const struct shown *shown, unsigned int flags)
{
	static char buf[FIELD_MAX];
	const struct context context = {
		.shown = shown,
		.foreign = template->foreign,
		.flags = flags,
		.buf = buf,
	};

	for (size_t i = 0; i < template->nr; i++) {
		const struct piece *piece = &template->pieces[i];

		if (!piece->field) {
			fwrite(piece->text, 1, piece->len, file);
			continue;
		}
		buf[0] = '\0';
		piece->field->write(&context);
		put_padded(file, buf, piece->width);
	}
	return fputc('\n', file) == EOF || ferror(file) ? -1 : 0;
}
