/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libkmonitor: the user space side of kmonitor_init(2).
 *
 * Functions that can fail return 0 or a result, or a negative errno value; none
 * of them sets errno for its caller.
 *
 * All may be called from several threads at once, as none keeps state but in the
 * objects that it is given.  One thread at a time may use a struct kmon_reader, kmon_table,
 * kmon_recording or kmon_cgroups, for whatever function; different ones are
 * independent.  Threads may share a descriptor: each record goes to one of those
 * that read it.
 */
#ifndef KMON_H
#define KMON_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/select.h>
#include <sys/types.h>

#include <linux/kmonitor.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct json_object;

/**
 * kmon_open - make a process monitor descriptor
 * @attr: Its attributes, or NULL for the defaults.
 * @flags: Bits of KMONITOR_CLOEXEC and KMONITOR_NONBLOCK.
 *
 * Return: The descriptor, or a negative errno value; see
 *	kmon_open_strerror().
 */
int kmon_open(const struct kmonitor_attr *attr, unsigned int flags);

/**
 * kmon_filter_add - add a filter to a descriptor
 * @fd: The descriptor.
 * @filter: What to add; its handle is filled in.
 *
 * Return: 0, or a negative errno value; see kmon_filter_strerror().
 */
int kmon_filter_add(int fd, struct kmonitor_filter *filter);

/**
 * kmon_filter_del - remove a filter, or events of a filter
 * @fd: The descriptor.
 * @filter: Names the filter by its handle; with a handle of 0, by target and
 *	id, and then the events to clear.
 *
 * Return: 0, -ENOENT if there is no such filter, or another negative errno
 *	value.
 */
int kmon_filter_del(int fd, const struct kmonitor_filter *filter);

/**
 * kmon_filter_clear - remove all filters of a descriptor
 * @fd: The descriptor.
 *
 * Return: 0, or a negative errno value.
 */
int kmon_filter_clear(int fd);

/**
 * kmon_info - report what the kernel supports and what the descriptor is
 * @fd: The descriptor.
 * @info: Filled in.  Fields that this kernel doesn't know are 0.
 *
 * Return: 0, or a negative errno value.
 */
int kmon_info(int fd, struct kmonitor_info *info);

/**
 * kmon_stats - read the accounting of a descriptor
 * @fd: The descriptor.
 * @stats: Filled in.
 *
 * Return: 0, or a negative errno value.
 */
int kmon_stats(int fd, struct kmonitor_stats *stats);

/**
 * kmon_snapshot - list what exists
 * @fd: The descriptor.
 * @snapshot: The filter, or 0 for all, and a token to know its records by.
 *
 * Return: 0 once all TASK records and the SNAPSHOT_END are in the ring, 1 if it
 *	is half full: read, then call again with the same token; or a negative
 *	errno value.
 */
int kmon_snapshot(int fd, const struct kmonitor_snapshot *snapshot);

/**
 * kmon_kill - send a signal to the members of a filter
 * @fd: The descriptor.
 * @kill: The filter and the signal; the numbers of members that got it, and that
 *	the caller may not signal, are filled in.
 *
 * Return: 0, or a negative errno value.
 */
int kmon_kill(int fd, struct kmonitor_kill *kill);

/**
 * kmon_pidfd - a pidfd of a process that a record names
 * @fd: The descriptor.
 * @tgid: The process id.
 * @start_ns: The start_ns of the process.
 *
 * Return: The pidfd, with its close-on-exec flag set; -ESRCH if the process has
 *	been reaped, whoever has its id now; or another negative errno value.
 */
int kmon_pidfd(int fd, int32_t tgid, uint64_t start_ns);

/**
 * struct kmon_command - what kmon_spawn() runs
 * @file: The program, searched for in PATH if it has no slash.
 * @argv: Its arguments, ended by NULL.
 * @envp: Its environment, or NULL for the caller's.
 * @mask: Its signal mask, or NULL for the caller's.
 * @prepare: Called in the child before the exec, or NULL.  It shares the
 *	caller's memory, may call async-signal-safe functions only, and gives 0
 *	or a negative errno value, which ends the child.
 * @arg: The argument of @prepare.
 */
struct kmon_command {
	const char *file;
	char *const *argv;
	char *const *envp;
	const sigset_t *mask;
	int (*prepare)(void *arg);
	void *arg;
};

/**
 * kmon_spawn - run a command in a tree of its own
 * @fd: The descriptor.
 * @tree: The filter to add: flags, events and cookie; its handle is filled in.
 * @command: What to run.  Caught signals have their default action.
 * @pid: Set to the process id of the child.
 *
 * The child is followed from before its first instruction, with all its
 * descendants.  Threads of the caller go on meanwhile.  If the caller is killed
 * the child may still join and go on: who starts anew can have @prepare compare
 * getppid(2).
 *
 * Return: 0, or a negative errno value: of the fork, of FILTER_ADD (see
 *	kmon_filter_strerror()), of @prepare, or of the exec, or -ESRCH if the
 *	child was killed before it joined; then there is no child, and the EMPTY
 *	reports the end of a filter that it may have made.
 */
int kmon_spawn(int fd, struct kmonitor_filter *tree,
	       const struct kmon_command *command, pid_t *pid);

/**
 * kmon_read - read records
 * @fd: The descriptor.
 * @events: Room for them.
 * @n: How many fit, at least 1.
 *
 * Return: The number of records read, -EAGAIN if there is none and the
 *	descriptor doesn't block, -EINTR if a signal came first, or another
 *	negative errno value.
 */
int kmon_read(int fd, struct kmonitor_event *events, unsigned int n);

/**
 * enum kmon_method - how a consumer gets at the records
 * @KMON_METHOD_READ: By read(2).
 * @KMON_METHOD_MMAP: In place, in the mapped ring; no system call while there
 *	are records.
 * @KMON_METHOD_URING: By an io_uring of its own.
 */
enum kmon_method {
	KMON_METHOD_READ,
	KMON_METHOD_MMAP,
	KMON_METHOD_URING,
};

/**
 * DOC: flags of a consumer
 *
 * - %KMON_READER_PASS_LOST: give a LOST record as any other; the caller looks
 *   at the type of each record.
 */
#define KMON_READER_PASS_LOST 0x1U

struct kmon_reader;
struct io_uring;
struct io_uring_cqe;

/**
 * kmon_reader_new - make a consumer
 * @fd: A descriptor that doesn't block (%KMONITOR_NONBLOCK).  It stays the
 *	caller's.
 * @method: How to consume.
 * @flags: Bits of KMON_READER_*.
 * @reader: Set to the consumer.  One thread at a time may use it.
 *
 * Return: 0, -EOPNOTSUPP if the kernel lacks the method, or another negative
 *	errno value.
 */
int kmon_reader_new(int fd, enum kmon_method method, unsigned int flags,
		    struct kmon_reader **reader);

/**
 * kmon_reader_join - make a consumer that uses the caller's io_uring
 * @fd: As of kmon_reader_new().
 * @ring: The caller's ring, of liburing.
 * @user_data: What the completions of the consumer carry: the caller gives
 *	those to kmon_reader_cqe().
 * @group: A buffer group id that the caller doesn't use.
 * @flags: Bits of KMON_READER_*.
 * @reader: Set to the consumer.
 *
 * Requests are put into the submission queue here and in kmon_reader_next();
 * the caller submits them.  kmon_reader_free(), for which @ring must still be
 * there, cancels what is under way, for which it submits.  Completions that were
 * there, and that of the cancellation, come behind it: the caller
 * drops them, and doesn't use @user_data again before.
 *
 * Return: 0, -EBUSY if the submission queue is full, or another negative errno
 *	value.
 */
int kmon_reader_join(int fd, struct io_uring *ring, uint64_t user_data,
		     uint16_t group, unsigned int flags,
		     struct kmon_reader **reader);

/**
 * kmon_reader_cqe - take a completion of a consumer that joined a ring
 * @reader: The consumer.
 * @cqe: A completion with its user_data; the caller marks it as seen.
 *
 * Return: 0, or the negative errno value of the completion.
 */
int kmon_reader_cqe(struct kmon_reader *reader, const struct io_uring_cqe *cqe);

/**
 * kmon_reader_next - take the next record
 * @reader: The consumer.
 * @event: Set to the record, which is valid until the next call.
 *
 * Return: 1 with a record; 0 if there is none now; -EOVERFLOW with a LOST
 *	record in @event, unless %KMON_READER_PASS_LOST is set; -EINTR; or
 *	another negative errno value.
 */
int kmon_reader_next(struct kmon_reader *reader,
		     const struct kmonitor_event **event);

/**
 * kmon_reader_poll_fd - the descriptor to poll for more records
 * @reader: The consumer.
 *
 * To be polled for POLLIN when kmon_reader_next() has given 0.
 *
 * Return: The descriptor.
 */
int kmon_reader_poll_fd(const struct kmon_reader *reader);

/**
 * kmon_reader_wait - wait for records
 * @reader: The consumer, whose kmon_reader_next() has given 0.
 * @timeout_ms: Milliseconds, or -1.
 *
 * Return: 1 if there may be records, 0 after the timeout, -EINTR, or another
 *	negative errno value.
 */
int kmon_reader_wait(const struct kmon_reader *reader, int timeout_ms);

/**
 * kmon_reader_free - release a consumer
 * @reader: The consumer, or NULL.
 *
 * Records that it has read and not given are gone, but those of
 * %KMON_METHOD_MMAP stay.
 */
void kmon_reader_free(struct kmon_reader *reader);

/**
 * kmon_open_strerror - the reason why a monitor can't be had
 * @error: What kmon_open() returned.
 *
 * Return: A constant text without a newline at its end.
 */
const char *kmon_open_strerror(int error);

/**
 * kmon_filter_strerror - the reason why a filter can't be added
 * @filter: What kmon_filter_add() was called with.
 * @error: What it returned.
 *
 * Return: A constant text without a newline at its end.
 */
const char *kmon_filter_strerror(const struct kmonitor_filter *filter,
				 int error);

/**
 * kmon_event_name - the short name of an event type
 * @type: One event type, as in kmonitor_event.type.
 *
 * Return: A constant such as "fork", or NULL for an unknown type.
 */
const char *kmon_event_name(uint32_t type);

/**
 * kmon_event_by_name - the event type of a short name
 * @name: Such as "fork".
 *
 * Return: The type, or 0 for an unknown name.
 */
uint32_t kmon_event_by_name(const char *name);

/**
 * kmon_wall_offset - the distance of wall clock time from kmonitor's
 *
 * It changes when the system's time is set: do not keep it for long.
 *
 * Return: Nanoseconds to add to kmonitor_event.time_ns to get nanoseconds
 *	since the Epoch.
 */
int64_t kmon_wall_offset(void);

/**
 * enum kmon_state - what a table knows of a process
 * @KMON_STATE_ALIVE: It lives.
 * @KMON_STATE_ENDED: It ended, and its status is known.
 * @KMON_STATE_LOST: It ended, and its PROCESS_EXIT was lost.
 */
enum kmon_state {
	KMON_STATE_ALIVE,
	KMON_STATE_ENDED,
	KMON_STATE_LOST,
};

/**
 * struct kmon_process - a process in a table
 * @tgid: Its process id.
 * @ppid: Process id of its parent, as of its newest record.
 * @start_ns: As in &struct kmonitor_event.
 * @cgroup_id: As in &struct kmonitor_event.
 * @uid: As in &struct kmonitor_event; -1 if all records of it were redacted.
 * @comm: As in &struct kmonitor_event.
 * @state: What became of it.
 * @status: With %KMON_STATE_ENDED: as waitpid(2) gives it.
 * @end_ns: With %KMON_STATE_ENDED: when, CLOCK_BOOTTIME.
 */
struct kmon_process {
	int32_t tgid;
	int32_t ppid;
	uint64_t start_ns;
	uint64_t cgroup_id;
	uint32_t uid;
	char comm[16];
	enum kmon_state state;
	int status;
	uint64_t end_ns;
};

struct kmon_table;

/**
 * kmon_table_new - keep the tree of live processes
 * @fd: A descriptor whose filter reports PROCESS_FORK and PROCESS_EXIT, of
 *	ALL or TREE filters; or -1 for the records of a recording.  A PROCESS
 *	filter does not report the ends of children: they would stay.
 * @handle: The filter to list at the start, 0 for all.
 * @table: Set to the new table.  One thread at a time may use it.
 *
 * Asks for a snapshot.  Without a descriptor the table has the processes
 * that records named since the last loss.
 *
 * Return: 0, or a negative errno value.
 */
int kmon_table_new(int fd, uint64_t handle, struct kmon_table **table);

/**
 * kmon_table_free - release a table
 * @table: The table, or NULL.
 */
void kmon_table_free(struct kmon_table *table);

/**
 * kmon_table_update - take a record into account
 * @table: The table.
 * @event: The next record of its descriptor; none may be left out.
 *
 * A LOST record starts a new snapshot.
 *
 * Return: 0, or a negative errno value.
 */
int kmon_table_update(struct kmon_table *table,
		      const struct kmonitor_event *event);

/**
 * kmon_table_sync - go on with a snapshot
 * @table: The table.
 *
 * Call it whenever there is no record left to read.
 *
 * Return: 0 if the table is whole, 1 if records of a snapshot are still to
 *	come, or a negative errno value.
 */
int kmon_table_sync(struct kmon_table *table);

/**
 * kmon_table_count - the number of live processes
 * @table: The table.
 *
 * Return: Their number.
 */
size_t kmon_table_count(const struct kmon_table *table);

/**
 * kmon_table_find - look a process up
 * @table: The table.
 * @tgid: Its process id.
 * @start_ns: Its start_ns, or 0 for the newest process with that id.
 * @process: Filled in.  The last 1024 that ended are remembered.
 *
 * Return: 0, or -ESRCH.
 */
int kmon_table_find(const struct kmon_table *table, int32_t tgid,
		    uint64_t start_ns, struct kmon_process *process);

/**
 * kmon_table_depth - how deep in the tree a process is
 * @table: The table.
 * @tgid: Its process id.
 *
 * Return: The number of its ancestors in the table.
 */
unsigned int kmon_table_depth(const struct kmon_table *table, int32_t tgid);

/**
 * typedef kmon_table_visitor - what kmon_table_walk() calls for each process
 * @process: The process.
 * @depth: 0 for the first, 1 for its children, and so on.
 * @arg: As given to kmon_table_walk().
 *
 * Return: 0 to go on.
 */
typedef int (*kmon_table_visitor)(const struct kmon_process *process,
				  unsigned int depth, void *arg);

/**
 * kmon_table_walk - visit a process and its descendants, parents first
 * @table: The table.
 * @tgid: Where to begin, or 0 for all processes.
 * @visitor: Called for each.
 * @arg: Given to @visitor.
 *
 * Return: 0, the first other value of @visitor, or -ESRCH.
 */
int kmon_table_walk(const struct kmon_table *table, int32_t tgid,
		    kmon_table_visitor visitor, void *arg);

struct kmon_cgroups;

/**
 * kmon_cgroups_new - get ready to name cgroups
 * @mount: Where cgroup v2 is mounted, or NULL to look for it.
 * @cgroups: Set to the object.  One thread at a time may use it.
 *
 * Return: 0; -ENOENT if there is no @mount; -ENODEV if cgroup v2 is not mounted
 *	there, or nowhere; or another negative errno value.
 */
int kmon_cgroups_new(const char *mount, struct kmon_cgroups **cgroups);

/**
 * kmon_cgroups_free - release what kmon_cgroups_new() made
 * @cgroups: The object, or NULL.
 */
void kmon_cgroups_free(struct kmon_cgroups *cgroups);

/**
 * kmon_cgroup_path - the path of a cgroup
 * @cgroups: The object.
 * @id: As in kmonitor_event.cgroup_id.
 * @path: Set to the path below the mount, which begins with a slash; valid
 *	until the next call with @cgroups.  Its bytes are those that the maker
 *	of the cgroup chose: see kmon_escape().
 *
 * The answers for the last 4096 ids are remembered, also when the cgroups are
 * gone, and also that there was none.  Without CAP_DAC_READ_SEARCH the first
 * question for an id takes a walk through the tree.
 *
 * Return: 0; -ENOENT if there is no such cgroup now and none is remembered, or
 *	the caller can't reach it; or another negative errno value.
 */
int kmon_cgroup_path(struct kmon_cgroups *cgroups, uint64_t id,
		     const char **path);

/**
 * kmon_cgroup_id - the id of the cgroup of a path
 * @cgroups: The object.
 * @path: A path below the mount, as kmon_cgroup_path() gives it; otherwise, if it
 *	begins with a slash, that of a directory of any mount of cgroup v2.
 * @id: Set to the id.
 *
 * Return: 0; -ENOENT if there is no such directory; -ENOTDIR if it is a file;
 *	-ENODEV if it is none of cgroup v2; or another negative errno value.
 */
int kmon_cgroup_id(const struct kmon_cgroups *cgroups, const char *path,
		   uint64_t *id);

/**
 * kmon_cgroup_by_unit - the id of the cgroup of a systemd unit
 * @cgroups: The object.
 * @name: The whole name of the unit, such as "foo.service".
 * @id: Set to the id.
 *
 * Return: 0; -ENOENT if no cgroup has that name; -ENOTUNIQ if several have;
 *	-EINVAL if units of that name have no cgroup; or another negative errno
 *	value.
 */
int kmon_cgroup_by_unit(const struct kmon_cgroups *cgroups, const char *name,
			uint64_t *id);

/**
 * kmon_cgroup_by_container - the id of the cgroup of a container
 * @cgroups: The object.
 * @prefix: The id of the container, or the beginning of it.
 * @id: Set to the id.
 *
 * Return: 0; -ENOENT if there is no such container; -ENOTUNIQ if several are;
 *	-EINVAL if @prefix is no beginning of 64 digits of 0-9 and a-f; or
 *	another negative errno value.
 */
int kmon_cgroup_by_container(const struct kmon_cgroups *cgroups,
			     const char *prefix, uint64_t *id);

/**
 * enum kmon_container_kind - what a cgroup was made for
 * @KMON_CONTAINER_UNIT: A unit of systemd, no container.
 * @KMON_CONTAINER_DOCKER: A container of docker.
 * @KMON_CONTAINER_CONTAINERD: A container of containerd.
 * @KMON_CONTAINER_PODMAN: A container of podman.
 * @KMON_CONTAINER_CRIO: A container of CRI-O.
 * @KMON_CONTAINER_KUBERNETES: A container of Kubernetes, of an unnamed runtime.
 */
enum kmon_container_kind {
	KMON_CONTAINER_UNIT,
	KMON_CONTAINER_DOCKER,
	KMON_CONTAINER_CONTAINERD,
	KMON_CONTAINER_PODMAN,
	KMON_CONTAINER_CRIO,
	KMON_CONTAINER_KUBERNETES,
};

/**
 * struct kmon_container - the container or unit of a cgroup
 * @kind: Whose it is.
 * @id: The id of the container, or the name of the unit, within the path; no
 *	NUL follows it.
 * @id_len: Its length.
 * @path_len: The length of the path of its own cgroup, which may be above.
 */
struct kmon_container {
	enum kmon_container_kind kind;
	const char *id;
	size_t id_len;
	size_t path_len;
};

/**
 * kmon_cgroup_container - the container or unit that a path names
 * @path: From kmon_cgroup_path().
 * @container: Filled in: the innermost container, otherwise the innermost unit.
 *
 * A name is what the maker of the cgroup chose.
 *
 * Return: 0, or -ENOENT.
 */
int kmon_cgroup_container(const char *path, struct kmon_container *container);

struct kmon_recording;

/**
 * kmon_recording_create - begin a recording
 * @file: An empty binary file, at its start.  It stays the caller's, who
 *	flushes it and looks for errors at the end.
 * @info: From kmon_info().
 * @recording: Set to the recording.  One thread at a time may use it.
 *
 * Return: 0, or a negative errno value.
 */
int kmon_recording_create(FILE *file, const struct kmonitor_info *info,
			  struct kmon_recording **recording);

/**
 * kmon_recording_write - add a record
 * @recording: From kmon_recording_create().
 * @event: The record; also LOST and the continuation of an exec.
 * @wall_offset: As the record is shown with, see kmon_wall_offset().
 *
 * Return: 0, or a negative errno value.
 */
int kmon_recording_write(struct kmon_recording *recording,
			 const struct kmonitor_event *event,
			 int64_t wall_offset);

/**
 * kmon_recording_open - read a recording
 * @file: The file, at its start.  It stays the caller's.
 * @recording: Set to the recording.  One thread at a time may use it.
 *
 * Return: 0; -EBADMSG if the file is no recording; -EPROTONOSUPPORT if it is of
 *	another version or byte order; or another negative errno value.
 */
int kmon_recording_open(FILE *file, struct kmon_recording **recording);

/**
 * kmon_recording_next - take the next record
 * @recording: From kmon_recording_open().
 * @event: Set to the record, which is valid until the next call.
 * @wall_offset: Set to what the record was shown with.
 *
 * Return: 1; 0 at the end, also of a file that was cut; or a negative errno
 *	value.
 */
int kmon_recording_next(struct kmon_recording *recording,
			const struct kmonitor_event **event,
			int64_t *wall_offset);

/**
 * kmon_recording_info - what the recorded descriptor was
 * @recording: The recording.
 *
 * Return: Its INFO, valid as long as the recording.
 */
const struct kmonitor_info *
kmon_recording_info(const struct kmon_recording *recording);

/**
 * kmon_recording_is_local - whether ids in a recording mean something here
 * @recording: From kmon_recording_open().
 *
 * Return: Whether it was made on this system since that was booted.
 */
bool kmon_recording_is_local(const struct kmon_recording *recording);

/**
 * kmon_recording_free - release a recording
 * @recording: The recording, or NULL.
 */
void kmon_recording_free(struct kmon_recording *recording);

/**
 * DOC: flags of the text functions
 *
 * - %KMON_TEXT_ASCII: escape all that is not ASCII, for an output that is not
 *   UTF-8.
 * - %KMON_TEXT_RELATIVE: show times as seconds; the offset given is minus the
 *   time_ns of the moment from which they count.
 * - KMON_TEXT_INDENT(n): show the name n columns further to the right, at most
 *   255.
 */
#define KMON_TEXT_ASCII 0x1U
#define KMON_TEXT_RELATIVE 0x2U
#define KMON_TEXT_INDENT(n) ((unsigned int)(n) << 8)

/* Room that suffices for the result of each text function. */
#define KMON_ESCAPE_MAX(len) (4 * (len) + 1)
#define KMON_LINE_MAX 768
#define KMON_MEMORY_MAX 32

/* The most bytes that the continuation records of one exec carry. */
#define KMON_ARGS_MAX 5632
#define KMON_ARGS_TEXT_MAX (4 * KMON_ARGS_MAX + 4)

/**
 * kmon_escape - make foreign bytes harmless to show
 * @bytes: They end after @len bytes or before the first NUL.
 * @len: How many.
 * @flags: Bits of KMON_TEXT_*.
 * @buf: Gets valid UTF-8, ended by a NUL.  A backslash is doubled; each byte
 *	of what is no UTF-8, of a control character or of a character that
 *	changes lines or writing direction becomes \xNN.
 * @size: Size of @buf; KMON_ESCAPE_MAX(@len) suffices.
 *
 * Return: The length of the text, or -ENOSPC.
 */
int kmon_escape(const char *bytes, size_t len, unsigned int flags, char *buf,
		size_t size);

/**
 * kmon_format_status - put the status of a process into words
 * @status: As waitpid(2) gives it.
 * @buf: Gets "exit 1" or "killed by SIGSEGV (core dumped)", ended by a NUL.
 * @size: Size of @buf.
 *
 * Return: The length of the text, or -ENOSPC.
 */
int kmon_format_status(int status, char *buf, size_t size);

/**
 * kmon_format_memory - write an amount of memory for people
 * @kib: How many KiB.
 * @buf: Gets "512K", "1.5M" or "2.0G", ended by a NUL.
 * @size: Size of @buf; KMON_MEMORY_MAX suffices.
 *
 * Return: The length of the text, or -ENOSPC.
 */
int kmon_format_memory(uint64_t kib, char *buf, size_t size);

/**
 * kmon_format_details - put what is special to a record into words
 * @event: The record.
 * @flags: Flags of kmon_escape(), for names.
 * @buf: Gets the text, ended by a NUL; empty for a type without details.
 * @size: Size of @buf; KMON_LINE_MAX suffices.
 *
 * Return: The length of the text, or -ENOSPC.
 */
int kmon_format_details(const struct kmonitor_event *event, unsigned int flags,
			char *buf, size_t size);

/**
 * kmon_format_header - the line that names the columns of kmon_format_event()
 * @buf: Gets the line, without a newline, ended by a NUL.
 * @size: Size of @buf; KMON_LINE_MAX suffices.
 *
 * Return: The length of the line, or -ENOSPC.
 */
int kmon_format_header(char *buf, size_t size);

/**
 * kmon_format_event - write a record as an aligned line of text
 * @event: The record.
 * @wall_offset: From kmon_wall_offset(); the time is shown in the local zone,
 *	but with %KMON_TEXT_RELATIVE.
 * @flags: Bits of KMON_TEXT_*.
 * @buf: Gets the line, without a newline, ended by a NUL.
 * @size: Size of @buf; KMON_LINE_MAX suffices.
 *
 * Return: The length of the line, or -ENOSPC.
 */
int kmon_format_event(const struct kmonitor_event *event, int64_t wall_offset,
		      unsigned int flags, char *buf, size_t size);

/**
 * kmon_format_args - write the path and arguments of an exec as one line
 * @args: The data of the continuation records: texts, each ended by a NUL.
 * @len: Their bytes, at most %KMON_ARGS_MAX.
 * @flags: Flags of kmon_escape().
 * @buf: Gets the texts, quoted as a shell reads them, ended by a NUL.
 * @size: Size of @buf; %KMON_ARGS_TEXT_MAX suffices.
 *
 * Return: The length of the line, or -ENOSPC.
 */
int kmon_format_args(const char *args, size_t len, unsigned int flags,
		     char *buf, size_t size);

/**
 * kmon_json_add_args - add the path and arguments of an exec to a JSON object
 * @object: From kmon_json_event().  Gets the member "args", an array of strings
 *	in which U+FFFD replaces each byte that can't be shown; then "args_hex"
 *	has the true bytes.
 * @args: As of kmon_format_args().
 * @len: Their bytes.
 *
 * Return: 0, -EINVAL if there are more than %KMON_ARGS_MAX bytes, or -ENOMEM.
 */
int kmon_json_add_args(struct json_object *object, const char *args,
		       size_t len);

/**
 * kmon_json_event - write a record as a JSON object
 * @event: The record.
 * @wall_offset: From kmon_wall_offset(), for the member "time".
 *
 * The members have the names of the fields.  64-bit ids, which a double can't
 * hold, are strings; counts and times are numbers.
 *
 * Return: An object to release with json_object_put(), or NULL without memory.
 */
struct json_object *kmon_json_event(const struct kmonitor_event *event,
				    int64_t wall_offset);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* KMON_H */
