// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes records from the kernel or from a recording, by one path for both.
 *
 * A run ends with what it follows: the EMPTY record of a tree, which is never
 * lost, or the exit of a process, which may be, and then is asked for.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "output.h"
#include "signals.h"
#include "source.h"

#define SNAPSHOT_TOKEN 1
/* The clock is asked so often at least, and is set if it has gone so far. */
#define CLOCK_RECORDS 1024
/* This many are taken before signals and times are looked at. */
#define TURN_RECORDS 128
#define RECHECK_NS (NSEC_PER_SEC / 10)
#define CLOCK_DRIFT_NS 1000000

double source_seconds(const struct source *source)
{
	return (double)(now_ns() - source->start_ns) / NSEC_PER_SEC;
}

/* The monitor and its filter. */

static int check_events(const struct source *source, uint32_t supported)
{
	const uint32_t missing = source->events & ~supported;

	if (!missing)
		return 0;
	complain("this kernel's kmonitor does not report '%s' yet",
		 kmon_event_name(missing & -missing));
	return EXIT_FAILURE;
}

static int open_reader(struct source *source)
{
	static const char *const names[] = { "read", "mmap", "uring" };
	int ret = kmon_reader_new(source->fd, source->method,
				  KMON_READER_PASS_LOST, &source->reader);

	if (!ret)
		return 0;
	complain("--%s: %s%s", names[source->method], strerror(-ret),
		 source->method == KMON_METHOD_READ ? "" : ": try --read");
	return EXIT_FAILURE;
}

static int open_monitor(struct source *source)
{
	const struct kmonitor_attr attr = {
		.ring_records = source->ring,
		.report = source->report,
	};
	struct kmonitor_info info = {};
	int ret;

	source->fd = kmon_open(&attr, KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);
	if (source->fd == -EINVAL || source->fd == -ENOMEM) {
		complain("--ring %u: %s", source->ring,
			 kmon_open_strerror(source->fd));
		return EXIT_FAILURE;
	}
	if (source->fd < 0) {
		complain("%s%s", kmon_open_strerror(source->fd),
			 advice(source->fd));
		return EXIT_FAILURE;
	}
	ret = kmon_info(source->fd, &info);
	if (ret) {
		complain("asking the kernel for its features: %s",
			 strerror(-ret));
		return EXIT_FAILURE;
	}
	source->ring_records = info.ring_records;
	return check_events(source, info.events) ?: open_reader(source);
}

static bool ends_by_itself(const struct target *target)
{
	return target->filter.target == KMONITOR_TARGET_PROCESS ||
	       target->filter.target == KMONITOR_TARGET_TREE;
}

/* Whether the end of what is followed ends the run. */
static bool ends_with_targets(const struct source *source)
{
	for (size_t i = 0; i < source->nr_targets; i++) {
		if (!ends_by_itself(&source->targets[i]))
			return false;
	}
	return source->nr_targets && !source->command;
}

static bool follows_children(const struct source *source)
{
	for (size_t i = 0; i < source->nr_targets; i++) {
		if (source->targets[i].filter.target != KMONITOR_TARGET_PROCESS)
			return true;
	}
	return source->command;
}

static int add_filters(struct source *source)
{
	const bool alone = !follows_children(source);

	for (size_t i = 0; i < source->nr_targets; i++) {
		struct target *target = &source->targets[i];
		struct kmonitor_filter *filter = &target->filter;
		int ret;

		filter->events = source->events;
		filter->flags = source->filter_flags;
		/* Its end must be noticed, if not shown. */
		if (filter->target == KMONITOR_TARGET_PROCESS) {
			filter->cookie = alone ? COOKIE_ALONE : 0;
			filter->events |= KMONITOR_PROCESS_EXIT;
			filter->flags &= ~KMONITOR_FILTER_FAILED_ONLY;
		}
		ret = kmon_filter_add(source->fd, filter);
		if (ret) {
			complain("%s%s%s: %s%s", target->option,
				 *target->text ? " " : "", target->text,
				 kmon_filter_strerror(filter, ret),
				 advice(ret));
			return EXIT_FAILURE;
		}
	}
	return 0;
}

/* Recordings. */

/* It is not written any more. */
static int record_failed(struct source *source, int error)
{
	complain("-w %s: %s", source->record_name, strerror(error));
	if (source->record)
		fclose(source->record);
	source->record = NULL;
	return EXIT_FAILURE;
}

static int open_record(struct source *source)
{
	struct kmonitor_info info;
	int ret;

	source->record = fopen(source->record_name, "we");
	ret = source->record ? kmon_info(source->fd, &info) : -errno;
	if (!ret)
		ret = kmon_recording_create(source->record, &info,
					    &source->recording);
	return ret ? record_failed(source, -ret) : 0;
}

static int close_record(struct source *source)
{
	FILE *record = source->record;

	source->record = NULL;
	return record && fclose(record) ? record_failed(source, errno) : 0;
}

static const char *recording_strerror(int error)
{
	switch (error) {
	case -EBADMSG:
		return "not a recording of kmonitor";
	case -EPROTONOSUPPORT:
		return "a recording of another version or byte order";
	}
	return strerror(-error);
}

static int64_t deadline(const struct source *source)
{
	return source->duration_ns ? source->start_ns + source->duration_ns :
				     NEVER;
}

/* Whether a signal or -D ends the reading of a recording. */
static bool is_over(struct source *source)
{
	const int signo = take_signal();

	if (signo)
		source->signal = signo;
	return source->signal || now_ns() >= deadline(source);
}

/* While nothing comes, what came is shown; the end of the run is one of the stream. */
static ssize_t read_stream(void *cookie, char *buf, size_t size)
{
	struct source *source = cookie;
	struct pollfd fds[] = {
		{ .fd = source->from_fd, .events = POLLIN },
		{ .fd = signal_fd(), .events = POLLIN },
		/* Only for the error when the reader of a pipe has gone. */
		{ .fd = source->output ? fileno(source->output) : -1 },
	};

	ssize_t len;

	do {
		while (poll(fds, 1, 0) < 1) {
			if (source->idle && source->running)
				source->stream_status =
					source->idle(source->tool);
			if (source->stream_status || is_over(source))
				return 0;
			poll(fds, 3, poll_timeout(deadline(source)));
			if (fds[2].revents & (POLLERR | POLLHUP))
				output_reader_gone();
		}
		len = read(source->from_fd, buf, size);
	} while (len < 0 && errno == EAGAIN);
	return len;
}

static int open_from_file(struct source *source)
{
	struct stat st;

	source->from_fd = STDIN_FILENO;
	if (strcmp(source->from_name, "-"))
		source->from_fd = open(source->from_name,
				       O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (source->from_fd < 0 || fstat(source->from_fd, &st))
		return -errno;
	source->from_stream = !S_ISREG(st.st_mode);
	source->from = source->from_stream ?
			       fopencookie(source, "r",
					   (cookie_io_functions_t){
						   .read = read_stream }) :
			       fdopen(source->from_fd, "r");
	return source->from ?
		       kmon_recording_open(source->from, &source->recording) :
		       -errno;
}

static int open_from(struct source *source)
{
	int ret = catch_signals();

	if (ret)
		return ret;
	source->start_ns = now_ns();
	ret = open_from_file(source);
	if (!ret) {
		source->foreign = !kmon_recording_is_local(source->recording);
		source->ring_records = source->ring;
		return 0;
	}
	if (source->from_stream && is_over(source)) {
		if (source->signal)
			return EXIT_SIGNAL(source->signal);
		ret = -ETIME;
	}
	complain("-f %s: %s", source->from_name, recording_strerror(ret));
	return EXIT_FAILURE;
}

int source_open(struct source *source)
{
	int status;

	if (source->from_name)
		return open_from(source);
	status = open_monitor(source);
	if (!status)
		status = add_filters(source);
	if (!status && source->record_name)
		status = open_record(source);
	return status;
}

int source_begin(struct source *source, FILE *output)
{
	source->output = output;
	return catch_signals();
}

int source_close(struct source *source)
{
	const int status = close_record(source);

	kmon_reader_free(source->reader);
	kmon_recording_free(source->recording);
	if (source->from)
		fclose(source->from);
	if (source->from_stream)
		close(source->from_fd);
	if (source->fd >= 0)
		close(source->fd);
	free(source->targets);
	return status;
}

/* The end of the run. */

/* Takes what is there now, at most a full ring, and then ends. */
static void finish(struct source *source)
{
	if (source->remaining < 0)
		source->remaining = source->ring_records;
}

static void finish_if_all_ended(struct source *source)
{
	if (!ends_with_targets(source))
		return;
	for (size_t i = 0; i < source->nr_targets; i++) {
		if (!source->targets[i].ended)
			return;
	}
	source->ended = true;
	finish(source);
}

static bool is_end_of(const struct kmonitor_filter *filter,
		      const struct kmonitor_event *event)
{
	if (event->type == KMONITOR_EMPTY)
		return filter->handle == event->empty.handle;
	return filter->target == KMONITOR_TARGET_PROCESS &&
	       filter->id == (uint64_t)event->tgid;
}

static void note_end(struct source *source, const struct kmonitor_event *event)
{
	if (source->child > 0 && event->type == KMONITOR_EMPTY &&
	    event->empty.handle == source->child_tree) {
		source->totals = event->empty;
		source->child_ended = true;
		source->ended = true;
		source->done = true;
	}
	for (size_t i = 0; i < source->nr_targets; i++) {
		struct target *target = &source->targets[i];

		if (is_end_of(&target->filter, event))
			target->ended = true;
	}
	finish_if_all_ended(source);
}

/*
 * The exit of a process may be among lost records (an EMPTY never is).  Its
 * filter is gone then, whoever has its pid now; or will be in a moment: that is
 * asked less and less often.
 */
static void find_lost_ends(struct source *source)
{
	source->recheck_ns *= 2;
	source->recheck_at = now_ns() + source->recheck_ns;
	for (size_t i = 0; i < source->nr_targets; i++) {
		struct target *target = &source->targets[i];
		struct kmonitor_kill kill = { .handle = target->filter.handle };

		if (target->filter.target == KMONITOR_TARGET_PROCESS &&
		    kmon_kill(source->fd, &kill) == -ENOENT)
			target->ended = true;
	}
	finish_if_all_ended(source);
}

/* The records. */

/* So that a replay shows the same times, the clock is not asked too often. */
static void look_at_clock(struct source *source)
{
	const int64_t now = kmon_wall_offset();
	const int64_t drift = now - source->wall_offset;

	if (drift > CLOCK_DRIFT_NS || drift < -CLOCK_DRIFT_NS)
		source->wall_offset = now;
}

static int take_live(struct source *source, const struct kmonitor_event *event)
{
	int status;

	if (source->record &&
	    kmon_recording_write(source->recording, event, source->wall_offset))
		return record_failed(source, errno);
	if (event->type == KMONITOR_LOST)
		source->lost += event->lost.count;
	status = source->take(source->tool, event, source->wall_offset);
	if (status)
		return status;
	switch (event->type) {
	case KMONITOR_LOST:
		source->recheck_ns = RECHECK_NS;
		source->recheck_at = now_ns() + RECHECK_NS;
		break;
	case KMONITOR_SNAPSHOT_END:
		source->snapshotting = false;
		break;
	case KMONITOR_EMPTY:
	case KMONITOR_PROCESS_EXIT:
		note_end(source, event);
		break;
	}
	return 0;
}

static int go_on_with_snapshot(struct source *source)
{
	const struct kmonitor_snapshot snapshot = { .token = SNAPSHOT_TOKEN };
	int ret;

	if (!source->snapshotting)
		return 0;
	ret = kmon_snapshot(source->fd, &snapshot);
	/* Perhaps a signal came before it had put anything into the ring. */
	source->more = ret == 1;
	if (ret >= 0)
		return 0;
	complain("--snapshot: %s", strerror(-ret));
	return EXIT_FAILURE;
}

/* Nothing is there now. */
static int idle(struct source *source)
{
	int status;

	if (source->remaining >= 0)
		source->done = true;
	if (source->record && fflush(source->record))
		return record_failed(source, errno);
	status = source->idle ? source->idle(source->tool) : 0;
	return status ?: go_on_with_snapshot(source);
}

static int take_all(struct source *source)
{
	const struct kmonitor_event *event;
	unsigned int turn = 0;
	int ret, status;

	look_at_clock(source);
	source->more = false;
	while (!source->done) {
		if (turn++ == TURN_RECORDS) {
			source->more = true;
			return 0;
		}
		ret = source->remaining ?
			      kmon_reader_next(source->reader, &event) :
			      0;
		if (ret == -EINTR)
			return 0;
		if (ret < 0) {
			complain("reading records: %s", strerror(-ret));
			return EXIT_FAILURE;
		}
		if (!ret)
			return idle(source);
		if (source->remaining > 0)
			source->remaining--;
		if (!(++source->taken % CLOCK_RECORDS))
			look_at_clock(source);
		status = take_live(source, event);
		if (status)
			return status;
	}
	return source->idle ? source->idle(source->tool) : 0;
}

/*
 * Without a command any signal ends the run.  A terminal's interrupt also goes
 * to the command, whose end is waited for; what is sent to the tool alone is
 * passed on to it.
 */
static void handle_signal(struct source *source)
{
	const int signo = take_signal();

	if (!signo)
		return;
	if (source->child <= 0) {
		source->signal = signo;
		finish(source);
	} else if (signo != SIGINT) {
		kill(source->child, signo);
	}
}

static int64_t next_time(const struct source *source)
{
	const int64_t end = deadline(source);

	int64_t next = end < source->recheck_at ? end : source->recheck_at;

	if (source->remaining >= 0 || source->more)
		return 0;
	return source->tick && source->tick_at < next ? source->tick_at : next;
}

static int handle_time(struct source *source)
{
	const int64_t now = now_ns();

	if (now >= deadline(source))
		finish(source);
	if (now >= source->recheck_at)
		find_lost_ends(source);
	if (!source->tick || now < source->tick_at)
		return 0;
	source->tick_at = now + NSEC_PER_SEC;
	return source->tick(source->tool);
}

static int watch(struct source *source)
{
	struct pollfd fds[] = {
		{ .fd = kmon_reader_poll_fd(source->reader), .events = POLLIN },
		{ .fd = signal_fd(), .events = POLLIN },
		/* Only for the error when the reader of a pipe has gone. */
		{ .fd = source->output ? fileno(source->output) : -1 },
	};
	int status = take_all(source);

	while (!status && !source->done) {
		if (poll(fds, 3, poll_timeout(next_time(source))) < 0 &&
		    errno != EINTR) {
			complain("poll: %s", strerror(errno));
			return EXIT_FAILURE;
		}
		if (fds[2].revents & (POLLERR | POLLHUP))
			output_reader_gone();
		handle_signal(source);
		status = handle_time(source);
		if (!status)
			status = take_all(source);
	}
	return status;
}

/* A signal or -D ends a file at once; of a stream, what is there is still taken. */
static int replay(struct source *source)
{
	const struct kmonitor_event *event;
	int status = 0, ret = 1;

	while (!status && !source->done && source->remaining) {
		if (!(source->taken % TURN_RECORDS) && is_over(source)) {
			if (!source->from_stream)
				break;
			finish(source);
		}
		ret = kmon_recording_next(source->recording, &event,
					  &source->wall_offset);
		if (ret != 1)
			break;
		source->taken++;
		if (source->remaining > 0)
			source->remaining--;
		if (event->type == KMONITOR_LOST)
			source->lost += event->lost.count;
		status = source->take(source->tool, event, source->wall_offset);
	}
	if (ret < 0) {
		complain("-f %s: %s", source->from_name, strerror(-ret));
		return EXIT_FAILURE;
	}
	if (!status)
		status = source->stream_status;
	if (!status && source->idle)
		status = source->idle(source->tool);
	return status;
}

static int start(struct source *source)
{
	struct kmonitor_filter tree = {
		.flags = source->filter_flags,
		.events = source->events,
	};
	const struct kmon_command command = {
		.file = source->command[0],
		.argv = source->command,
	};
	int status;

	status = start_command(source->fd, &tree, &command, &source->child);
	source->child_tree = tree.handle;
	return status;
}

int source_run(struct source *source)
{
	int status = 0;

	source->running = true;
	if (source->from)
		return replay(source);
	source->start_ns = now_ns();
	source->tick_at = source->start_ns + NSEC_PER_SEC;
	source->snapshotting = source->snapshot;
	if (source->command) {
		const int signo = take_signal();

		status = signo ? EXIT_SIGNAL(signo) : start(source);
	}
	if (!status)
		status = watch(source);
	if (!status && source->record && fflush(source->record))
		return record_failed(source, errno);
	return status;
}

int source_status(struct source *source)
{
	struct kmonitor_stats stats = {};
	int status = 0;

	if (source->child_ended)
		status = command_status(source->command[0], source->child);
	else if (source->signal)
		status = EXIT_SIGNAL(source->signal);

	/* Also what is reported behind the last record that was taken. */
	if (source->fd >= 0 && !kmon_stats(source->fd, &stats))
		source->lost = stats.lost + stats.pending;
	return source->fail_on_loss && source->lost ? EXIT_LOSS : status;
}
