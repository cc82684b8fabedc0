// SPDX-License-Identifier: GPL-2.0-only
/* The options that say where records come from, see source.h. */

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"

#define NOTHING \
	"nothing to follow: give -p PID, -t PID, -c PATH, --unit UNIT, --container ID, -u USER, -a, a command or -f FILE"
#define LIVE "%s is of the running system, -f of a recording: give one of them"

enum {
	OPTION_RING = 256,
	OPTION_READ,
	OPTION_MMAP,
	OPTION_URING,
	OPTION_FAIL_ON_LOSS,
	OPTION_UNIT,
	OPTION_CONTAINER,
};

static const struct argp_option options[] = {
	{ "pid", 'p', "PID", 0, "Follow process PID (repeatable)", 1 },
	{ "root", 't', "PID", 0,
	  "Follow process PID and all its descendants (repeatable)", 1 },
	{ "cgroup", 'c', "PATH", 0,
	  "Follow the processes of a cgroup and those below (repeatable)", 1 },
	{ "unit", OPTION_UNIT, "UNIT", 0,
	  "Follow the processes of a systemd unit, such as cron.service (repeatable)",
	  1 },
	{ "container", OPTION_CONTAINER, "ID", 0,
	  "Follow the processes of a container, by its id or the beginning of it (repeatable)",
	  1 },
	{ "user", 'u', "USER", 0,
	  "Follow the processes of USER, a name or an id (repeatable)", 1 },
	{ "all", 'a', NULL, 0, "Follow every process (needs CAP_SYS_PTRACE)",
	  1 },
	{ "from", 'f', "FILE", 0, "Take the records of a recording", 1 },
	{ "record", 'w', "FILE", 0, "Also write the records as they came", 3 },
	{ "duration", 'D', "SECONDS", 0, "Stop after SECONDS, such as 0.5", 4 },
	{ "ring", OPTION_RING, "RECORDS", 0,
	  "Let the kernel hold RECORDS unread records (default: 16384)", 4 },
	{ "read", OPTION_READ, NULL, 0, "Take records by read(2) (default)",
	  4 },
	{ "mmap", OPTION_MMAP, NULL, 0, "Take records from the mapped ring",
	  4 },
	{ "uring", OPTION_URING, NULL, 0, "Take records by io_uring", 4 },
	{ "fail-on-loss", OPTION_FAIL_ON_LOSS, NULL, 0,
	  "Exit with status 3 if records were lost", 4 },
	{ 0 }
};

static void add_target(struct argp_state *state, const char *option,
		       const char *text, uint32_t kind, uint64_t id)
{
	struct source *source = state->input;
	struct target *targets;

	targets = reallocarray(source->targets, source->nr_targets + 1,
			       sizeof(*targets));
	if (!targets)
		argp_failure(state, EXIT_FAILURE, ENOMEM, "%s %s", option,
			     text);
	source->targets = targets;
	targets[source->nr_targets++] = (struct target){
		.filter = { .target = kind, .id = id },
		.option = option,
		.text = text,
	};
}

static void add_pid(struct argp_state *state, const char *option,
		    const char *text, uint32_t kind)
{
	uint64_t pid;

	if (!parse_number(text, INT_MAX, &pid))
		argp_error(state, "%s %s: not a process id", option, text);
	add_target(state, option, text, kind, pid);
}

static void add_user(struct argp_state *state, const char *text)
{
	const struct passwd *user = getpwnam(text);
	uint64_t uid = 0;

	if (user)
		uid = user->pw_uid;
	else if (strcmp(text, "0") && !parse_number(text, UINT_MAX - 1, &uid))
		argp_error(state, "-u %s: no such user", text);
	add_target(state, "-u", text, KMONITOR_TARGET_UID, uid);
}

static const char *cgroup_strerror(int error)
{
	switch (error) {
	case -ENODEV:
		return "cgroup v2 is not mounted, or this is none of its directories";
	case -ENOTUNIQ:
		return "more than one: give more of it, or -c PATH";
	case -EINVAL:
		return "no name of what has a cgroup";
	}
	return strerror(-error);
}

/* Finds a cgroup by one of the library's ways. */
static void add_cgroup(struct argp_state *state, const char *option,
		       const char *text,
		       int (*find)(const struct kmon_cgroups *cgroups,
				   const char *name, uint64_t *id))
{
	struct kmon_cgroups *cgroups;
	uint64_t id = 0;
	int ret = kmon_cgroups_new(NULL, &cgroups);

	if (!ret) {
		ret = find(cgroups, text, &id);
		kmon_cgroups_free(cgroups);
	}
	if (ret)
		argp_error(state, "%s %s: %s", option, text,
			   cgroup_strerror(ret));
	add_target(state, option, text, KMONITOR_TARGET_CGROUP, id);
}

/* Options that exclude each other. */
static void check(struct argp_state *state)
{
	const struct source *source = state->input;

	if (!source->from_name) {
		if (!source->nr_targets && !source->command)
			argp_error(state, NOTHING);
		return;
	}
	if (source->nr_targets)
		argp_error(state, LIVE, source->targets[0].option);
	if (source->command)
		argp_error(state, LIVE, "a command");
	if (source->record_name)
		argp_error(state, LIVE, "-w");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct source *source = state->input;
	uint64_t number;

	switch (key) {
	case 'p':
		add_pid(state, "-p", arg, KMONITOR_TARGET_PROCESS);
		return 0;
	case 't':
		add_pid(state, "-t", arg, KMONITOR_TARGET_TREE);
		return 0;
	case 'c':
		add_cgroup(state, "-c", arg, kmon_cgroup_id);
		return 0;
	case OPTION_UNIT:
		add_cgroup(state, "--unit", arg, kmon_cgroup_by_unit);
		return 0;
	case OPTION_CONTAINER:
		add_cgroup(state, "--container", arg, kmon_cgroup_by_container);
		return 0;
	case 'u':
		add_user(state, arg);
		return 0;
	case 'a':
		add_target(state, "-a", "", KMONITOR_TARGET_ALL, 0);
		return 0;
	case 'f':
		source->from_name = arg;
		return 0;
	case 'w':
		source->record_name = arg;
		return 0;
	case 'D':
		if (!parse_duration(arg, &source->duration_ns))
			argp_error(state,
				   "-D %s: not a number of seconds above 0",
				   arg);
		return 0;
	case OPTION_RING:
		if (!parse_number(arg, UINT32_MAX, &number))
			argp_error(state, "--ring %s: not a number of records",
				   arg);
		source->ring = number;
		return 0;
	case OPTION_READ:
		source->method = KMON_METHOD_READ;
		return 0;
	case OPTION_MMAP:
		source->method = KMON_METHOD_MMAP;
		return 0;
	case OPTION_URING:
		source->method = KMON_METHOD_URING;
		return 0;
	case OPTION_FAIL_ON_LOSS:
		source->fail_on_loss = true;
		return 0;
	case ARGP_KEY_ARG:
		/* The rest of the line, whatever it looks like, is CMD's. */
		source->command = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		check(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp source_argp = {
	.options = options,
	.parser = parse_option,
};
