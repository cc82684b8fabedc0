/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * kmonitor: the life of processes and threads as a file descriptor.
 *
 * Every structure is extensible by size.  Reserved fields must be zero.  All
 * ids are those of the pid namespace of the task that created the descriptor,
 * all user ids those of its user namespace.
 */
#ifndef _UAPI_LINUX_KMONITOR_H
#define _UAPI_LINUX_KMONITOR_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: flags of kmonitor_init()
 *
 * - %KMONITOR_CLOEXEC: set the close-on-exec flag on the new descriptor.
 * - %KMONITOR_NONBLOCK: set %O_NONBLOCK on the new open file description.
 */
#define KMONITOR_CLOEXEC (1U << 0)
#define KMONITOR_NONBLOCK (1U << 1)

/**
 * DOC: bits of kmonitor_attr.report
 *
 * - %KMONITOR_REPORT_EXEC_ARGS: each %KMONITOR_PROCESS_EXEC and
 *   %KMONITOR_TASK is followed by %KMONITOR_EXEC_ARGS records.
 */
#define KMONITOR_REPORT_EXEC_ARGS (1U << 0)

/**
 * struct kmonitor_attr - what kmonitor_init() creates
 * @ring_records: Capacity of the ring in records, rounded up to a power of
 *	two.  0 means 4096.
 * @wakeup_records: Watermark: readers are woken when this many records are
 *	ready; at most half of the ring.  0 means 1.
 * @wakeup_delay_us: Longest time in microseconds for which a record below
 *	the watermark stays unannounced.  Required (not 0) with a watermark
 *	above 1.
 * @report: Bits of KMONITOR_REPORT_*.
 * @reserved: Must be zero.
 */
struct kmonitor_attr {
	__u32 ring_records;
	__u32 wakeup_records;
	__u32 wakeup_delay_us;
	__u32 report;
	__aligned_u64 reserved[2];
};

/**
 * enum kmonitor_target - what a filter selects
 * @KMONITOR_TARGET_THREAD: One thread of a process.
 * @KMONITOR_TARGET_PROCESS: One process, all its threads.
 * @KMONITOR_TARGET_TREE: A process and all its descendants, present and future.
 * @KMONITOR_TARGET_CGROUP: The members of a cgroup v2 and of its descendants,
 *	checked at each event; a new task also by its own cgroup.  The filter
 *	stays when the cgroup is removed, whose id is not used again.  ESTALE if
 *	the caller's cgroup namespace has no such cgroup.
 * @KMONITOR_TARGET_UID: The tasks of one real user id, checked at each event.
 * @KMONITOR_TARGET_ALL: Every task that is visible in the creator's pid
 *	namespace.
 */
enum kmonitor_target {
	KMONITOR_TARGET_THREAD = 0,
	KMONITOR_TARGET_PROCESS = 1,
	KMONITOR_TARGET_TREE = 2,
	KMONITOR_TARGET_CGROUP = 3,
	KMONITOR_TARGET_UID = 4,
	KMONITOR_TARGET_ALL = 5,
};

/**
 * DOC: flags of a filter
 *
 * - %KMONITOR_FILTER_PIDFD: @id is a pidfd.  A target PROCESS or TREE needs
 *   that of a process or of its leading thread, a target THREAD means the
 *   thread of a thread's pidfd and the leading thread of a process's.  EBADF
 *   if it is no pidfd.  Not for CGROUP, UID and ALL.
 * - %KMONITOR_FILTER_IGNORE: suppress the records of this target in this
 *   descriptor: those of the types in @events, or of all event types if that
 *   is 0.  Membership and %KMONITOR_EMPTY are as without it.  As CGROUP, UID
 *   or ALL it suppresses nothing about tasks that the creator may not see.
 *   Such a filter exists besides one without the flag of the same target and
 *   id: the flag is a part of its name.
 * - %KMONITOR_FILTER_FAILED_ONLY: of the exits, only those with a nonzero
 *   status; of a task that the creator may not see, none.  Other events are
 *   as without it.  Not with %KMONITOR_FILTER_IGNORE.
 * - %KMONITOR_FILTER_KILL_ON_CLOSE: kill the members of this tree when the
 *   last reference to the descriptor goes.
 *
 * To add an existing target and id adds the events and replaces the cookie and
 * %KMONITOR_FILTER_FAILED_ONLY.
 */
#define KMONITOR_FILTER_PIDFD (1U << 0)
#define KMONITOR_FILTER_IGNORE (1U << 1)
#define KMONITOR_FILTER_FAILED_ONLY (1U << 2)
#define KMONITOR_FILTER_KILL_ON_CLOSE (1U << 3)

/**
 * struct kmonitor_filter - one filter
 * @target: One of &enum kmonitor_target.
 * @flags: Bits of KMONITOR_FILTER_*.
 * @id: A pid, a pidfd, a cgroup id or a user id, as @target and @flags say.
 *	0 as a pid is the calling process or thread.  Must be 0 for
 *	%KMONITOR_TARGET_ALL.
 * @events: Bits of the event types wanted.  0 is membership only.
 * @reserved: Must be zero.
 * @cookie: Returned unchanged in the records that this filter wanted.
 * @handle: Out: names the filter in this descriptor, never 0, never reused.
 *	%KMONITOR_IOC_FILTER_DEL: in: the filter to remove, or 0 to name it by
 *	@target and @id.
 * @reserved2: Must be zero.
 */
struct kmonitor_filter {
	__u32 target;
	__u32 flags;
	__aligned_u64 id;
	__u32 events;
	__u32 reserved;
	__aligned_u64 cookie;
	__aligned_u64 handle;
	__aligned_u64 reserved2;
};

/**
 * DOC: event types
 *
 * Values of kmonitor_event.type, and bits of kmonitor_filter.events.
 *
 * - %KMONITOR_THREAD_CREATE: the subject created a thread.
 * - %KMONITOR_THREAD_ABORT: a thread that did not choose to end is ending.
 * - %KMONITOR_THREAD_EXIT: the subject, a thread, ended.
 * - %KMONITOR_PROCESS_FORK: the subject created a process.
 * - %KMONITOR_PROCESS_ABORT: a signal has made the end of a process certain.
 * - %KMONITOR_PROCESS_EXEC: the subject runs a new program.
 * - %KMONITOR_PROCESS_EXIT: the process ended and holds nothing any more.
 * - %KMONITOR_COMM: the subject was renamed, by prctl(2) or through /proc; the
 *   new name that comes with an exec is in %KMONITOR_PROCESS_EXEC.
 * - %KMONITOR_CRED: real, effective or saved user or group ids changed.
 * - %KMONITOR_SID: the subject leads a new session.
 * - %KMONITOR_PTRACE: the subject attached to or detached from a task.  No
 *   detach is reported when either of them exits, and no attach for a task that
 *   is traced from birth, by CLONE_PTRACE or PTRACE_O_TRACEFORK and its like.
 * - %KMONITOR_COREDUMP: the subject is about to dump core.  The status of its exit
 *   shows whether it did.
 * - %KMONITOR_EXEC_FAILED: execve(2) or execveat(2) returned an error.  An exec
 *   that fails when the old program is gone ends the process instead.
 *
 * Stream records are always on and are refused in kmonitor_filter.events:
 *
 * - %KMONITOR_TASK: an existing process, found by a snapshot.
 * - %KMONITOR_SNAPSHOT_END: a snapshot is complete.
 * - %KMONITOR_LOST: records were dropped here.
 * - %KMONITOR_EMPTY: the last member of a tree ended; removes the filter.
 * - %KMONITOR_UNTRACKED: a new member could not be followed.
 * - %KMONITOR_EXEC_ARGS: continuation of an exec, &struct kmonitor_exec_args.
 */
#define KMONITOR_THREAD_CREATE 0x00000001U
#define KMONITOR_THREAD_ABORT 0x00000002U
#define KMONITOR_THREAD_EXIT 0x00000004U
#define KMONITOR_PROCESS_FORK 0x00000008U
#define KMONITOR_PROCESS_ABORT 0x00000010U
#define KMONITOR_PROCESS_EXEC 0x00000020U
#define KMONITOR_PROCESS_EXIT 0x00000040U
#define KMONITOR_COMM 0x00000080U
#define KMONITOR_CRED 0x00000100U
#define KMONITOR_SID 0x00000200U
#define KMONITOR_PTRACE 0x00000400U
#define KMONITOR_COREDUMP 0x00000800U
#define KMONITOR_EXEC_FAILED 0x00001000U
#define KMONITOR_TASK 0x00010000U
#define KMONITOR_SNAPSHOT_END 0x00020000U
#define KMONITOR_LOST 0x00040000U
#define KMONITOR_EMPTY 0x00080000U
#define KMONITOR_UNTRACKED 0x00100000U
#define KMONITOR_EXEC_ARGS 0x00200000U

/**
 * DOC: flags of a record
 *
 * - %KMONITOR_EVENT_REDACTED: the creator may not see this task any more:
 *   uid is -1; comm, cgroup, status and usage are zero.
 * - %KMONITOR_EVENT_WORKER: the task is a worker of io_uring or vhost.
 * - %KMONITOR_EVENT_TRUNCATED: arguments are missing.
 * - %KMONITOR_EVENT_LAST_THREAD: of %KMONITOR_THREAD_EXIT: no thread of the
 *   process runs any more.  Others that are on their way out may still send
 *   theirs behind it.
 * - %KMONITOR_EVENT_OOM: the process was chosen by the OOM killer.
 */
#define KMONITOR_EVENT_REDACTED (1U << 0)
#define KMONITOR_EVENT_WORKER (1U << 1)
#define KMONITOR_EVENT_TRUNCATED (1U << 2)
#define KMONITOR_EVENT_LAST_THREAD (1U << 3)
#define KMONITOR_EVENT_OOM (1U << 4)

/**
 * struct kmonitor_fork - details of PROCESS_FORK and THREAD_CREATE
 * @pid: Thread id of the child.
 * @tgid: Process id of the child.
 * @start_ns: Start of the child's process, nanoseconds of CLOCK_BOOTTIME in
 *	the initial time namespace.
 * @clone_flags: Flags of clone(2).
 * @cgroup_id: Id of the child's cgroup v2, 0 if there is none.
 * @ppid: Process id of the child's real parent, 0 if not visible.
 * @reserved: Zero.
 * @pidfd_ino: Inode number of a pidfd of the child's process, 0 if this
 *	kernel has no pidfs.
 */
struct kmonitor_fork {
	__s32 pid;
	__s32 tgid;
	__aligned_u64 start_ns;
	__aligned_u64 clone_flags;
	__aligned_u64 cgroup_id;
	__s32 ppid;
	__u32 reserved;
	__aligned_u64 pidfd_ino;
};

/**
 * DOC: flags of kmonitor_exec
 *
 * - %KMONITOR_EXEC_SETID: the program gained privileges (AT_SECURE).
 * - %KMONITOR_EXEC_SCRIPT: the file named to execve(2) was a script; the
 *   record describes the interpreter that runs it.
 * - %KMONITOR_EXEC_MEMFD: the file was made by memfd_create(2).
 * - %KMONITOR_EXEC_UNLINKED: the file has no name left.
 */
#define KMONITOR_EXEC_SETID (1U << 0)
#define KMONITOR_EXEC_SCRIPT (1U << 1)
#define KMONITOR_EXEC_MEMFD (1U << 2)
#define KMONITOR_EXEC_UNLINKED (1U << 3)

/**
 * struct kmonitor_exec - details of PROCESS_EXEC
 * @old_pid: Thread id before the exec.  It differs from the pid of the record
 *	if another thread than the leader called execve(2), and then is gone;
 *	0 if monitoring began in the middle of the exec.
 * @flags: Bits of KMONITOR_EXEC_*.
 * @dev_major: Major number of the file system's device (st_dev).
 * @dev_minor: Minor number of the file system's device.
 * @ino: Inode number of the program.
 * @nr_args: Number of arguments.
 * @reserved: Zero.
 * @mnt_id: Unique mount id (STATX_MNT_ID_UNIQUE) of the program.
 * @pidfd_ino: As in &struct kmonitor_fork, of the subject.
 */
struct kmonitor_exec {
	__s32 old_pid;
	__u32 flags;
	__u32 dev_major;
	__u32 dev_minor;
	__aligned_u64 ino;
	__u32 nr_args;
	__u32 reserved;
	__aligned_u64 mnt_id;
	__aligned_u64 pidfd_ino;
};

/**
 * struct kmonitor_exec_failed - details of EXEC_FAILED
 * @error: The positive errno value that execve(2) returned.
 * @reserved: Zero.
 * @dev_major: Major number of the file system's device, 0 if no file could
 *	be opened.
 * @dev_minor: Minor number of the file system's device.
 * @ino: Inode number of the file, 0 if none could be opened.  It may be
 *	the interpreter of a script, if the error is the interpreter's.
 * @reserved2: Zero.
 */
struct kmonitor_exec_failed {
	__s32 error;
	__u32 reserved;
	__u32 dev_major;
	__u32 dev_minor;
	__aligned_u64 ino;
	__aligned_u64 reserved2[3];
};

/**
 * struct kmonitor_exit - details of PROCESS_EXIT and THREAD_EXIT
 * @status: Status as waitpid(2) gives it.
 * @flags: Zero.
 * @utime_ns: User CPU time in nanoseconds.
 * @stime_ns: System CPU time in nanoseconds.
 * @maxrss_kib: Peak resident set in KiB, of the process.
 * @min_flt: Page faults without I/O.
 * @maj_flt: Page faults with I/O.
 *
 * The usage is that of the process (RUSAGE_SELF) in PROCESS_EXIT, that of the
 * thread (RUSAGE_THREAD) in THREAD_EXIT.
 */
struct kmonitor_exit {
	__s32 status;
	__u32 flags;
	__aligned_u64 utime_ns;
	__aligned_u64 stime_ns;
	__aligned_u64 maxrss_kib;
	__aligned_u64 min_flt;
	__aligned_u64 maj_flt;
};

/**
 * DOC: flags of kmonitor_abort
 *
 * - %KMONITOR_ABORT_CORE: the signal's action is to dump core.
 * - %KMONITOR_ABORT_SENDER_UNKNOWN: the sender fields are not known: the sender
 *   is not visible in the creator's pid namespace; or the signal was not fatal
 *   when it was sent, was chosen by a tracer, or came before the monitor, and
 *   then the code is 0.
 */
#define KMONITOR_ABORT_CORE (1U << 0)
#define KMONITOR_ABORT_SENDER_UNKNOWN (1U << 1)

/**
 * struct kmonitor_abort - details of PROCESS_ABORT, THREAD_ABORT and COREDUMP
 * @signo: The signal; SIGKILL for a thread that an exit or exec by another
 *	thread of its process has ended.
 * @code: si_code of the signal.
 * @sender_pid: Process that sent it, 0 if the kernel did.
 * @sender_uid: Real user id of the sender when it sent it.
 * @sender_start_ns: start_ns of the sender, 0 if the creator may not see it.
 * @flags: Bits of KMONITOR_ABORT_*.
 * @reserved: Zero.
 * @reserved2: Zero.
 */
struct kmonitor_abort {
	__s32 signo;
	__s32 code;
	__s32 sender_pid;
	__u32 sender_uid;
	__aligned_u64 sender_start_ns;
	__u32 flags;
	__u32 reserved;
	__aligned_u64 reserved2[2];
};

/**
 * struct kmonitor_cred - details of CRED; real, effective and saved ids
 * @old_uid: User ids before.
 * @old_gid: Group ids before.
 * @new_uid: User ids now.
 * @new_gid: Group ids now.
 */
struct kmonitor_cred {
	__u32 old_uid[3];
	__u32 old_gid[3];
	__u32 new_uid[3];
	__u32 new_gid[3];
};

/**
 * struct kmonitor_comm - details of COMM; the header has the new name
 * @old_comm: The name before.
 * @reserved: Zero.
 */
struct kmonitor_comm {
	char old_comm[16];
	__aligned_u64 reserved[4];
};

/**
 * struct kmonitor_sid - details of SID
 * @sid: The new session id.
 * @pgid: The new process group id.
 * @reserved: Zero.
 */
struct kmonitor_sid {
	__s32 sid;
	__s32 pgid;
	__aligned_u64 reserved[5];
};

/**
 * DOC: operations of kmonitor_ptrace
 *
 * - %KMONITOR_PTRACE_ATTACH: the subject traces the peer from now on.
 * - %KMONITOR_PTRACE_DETACH: the subject no longer traces the peer.
 */
#define KMONITOR_PTRACE_ATTACH 1U
#define KMONITOR_PTRACE_DETACH 2U

/**
 * struct kmonitor_ptrace - details of PTRACE; the subject is the tracer
 * @peer_pid: Thread id of the traced task.  0, as the next two, if the creator
 *	may not see it.
 * @peer_tgid: Process id of the traced task.
 * @peer_start_ns: start_ns of the traced process.
 * @op: One of KMONITOR_PTRACE_*.
 * @reserved: Zero.
 * @reserved2: Zero.
 */
struct kmonitor_ptrace {
	__s32 peer_pid;
	__s32 peer_tgid;
	__aligned_u64 peer_start_ns;
	__u32 op;
	__u32 reserved;
	__aligned_u64 reserved2[3];
};

/**
 * struct kmonitor_lost - details of LOST
 * @count: Exact number of records dropped at this place.
 * @first_ns: About when the first of them was dropped, CLOCK_BOOTTIME.
 * @last_ns: About when the last of them was dropped, CLOCK_BOOTTIME.
 * @forks: Exact number of them that were PROCESS_FORK or THREAD_CREATE.
 * @execs: Exact number of them that were PROCESS_EXEC.
 * @exits: Exact number of them that were PROCESS_EXIT or THREAD_EXIT.  The
 *	rest of @count is of other types, EXEC_ARGS among them.
 */
struct kmonitor_lost {
	__aligned_u64 count;
	__aligned_u64 first_ns;
	__aligned_u64 last_ns;
	__aligned_u64 forks;
	__aligned_u64 execs;
	__aligned_u64 exits;
};

/**
 * DOC: flags of kmonitor_empty
 *
 * - %KMONITOR_EMPTY_OOM: the OOM killer chose a member.
 * - %KMONITOR_EMPTY_INCOMPLETE: members may have escaped, see UNTRACKED; or a
 *   member is left that never ends, after an oops in its exit.
 */
#define KMONITOR_EMPTY_OOM (1U << 0)
#define KMONITOR_EMPTY_INCOMPLETE (1U << 1)

/**
 * struct kmonitor_empty - details of EMPTY: the totals of a tree
 * @root_status: Status of the root process, as waitpid(2) gives it.
 * @flags: Bits of KMONITOR_EMPTY_*.
 * @members: Processes that ever were members; one that ended while FILTER_ADD
 *	was at work may have been one without a record.
 * @failed: Members that ended with a nonzero status.
 * @handle: The handle of the filter, which is gone with this record.
 * @utime_ns: User CPU time of all members in nanoseconds.
 * @stime_ns: System CPU time of all members in nanoseconds.
 * @maxrss_kib: The largest peak resident set of a member in KiB.
 *
 * The pid, tgid and start_ns of the record are those of the root.  Members
 * that ended REDACTED count in @members only, as do those that never end, see
 * INCOMPLETE: if the root is one of them, @root_status is 0.
 */
struct kmonitor_empty {
	__s32 root_status;
	__u32 flags;
	__u32 members;
	__u32 failed;
	__aligned_u64 handle;
	__aligned_u64 utime_ns;
	__aligned_u64 stime_ns;
	__aligned_u64 maxrss_kib;
};

/**
 * struct kmonitor_task - details of TASK and SNAPSHOT_END
 * @sid: Session id.
 * @pgid: Process group id.
 * @nr_threads: Number of threads.
 * @dev_major: Major number of the device of the program's file system.
 * @dev_minor: Minor number of it.
 * @flags: Bits of KMONITOR_EXEC_*.
 * @ino: Inode number of the program, 0 if there is none.
 * @token: The token of the snapshot.
 * @pidfd_ino: As in &struct kmonitor_fork, of the subject.
 */
struct kmonitor_task {
	__s32 sid;
	__s32 pgid;
	__u32 nr_threads;
	__u32 dev_major;
	__u32 dev_minor;
	__u32 flags;
	__aligned_u64 ino;
	__aligned_u64 token;
	__aligned_u64 pidfd_ino;
};

/**
 * struct kmonitor_event - one record
 * @seq: Counts the records of this descriptor: 1, 2, 3, ... with no gap.
 * @time_ns: When it happened, nanoseconds of CLOCK_BOOTTIME: of PROCESS_FORK
 *	and THREAD_CREATE when the new task began, of PROCESS_ABORT when the
 *	signal was sent.  Not always in the order of @seq.
 * @cookie: The cookie of the most specific filter that wanted it.
 * @type: The event type.
 * @flags: Bits of KMONITOR_EVENT_*.
 * @cpu: The CPU that it happened on.
 * @pid: Thread id of the subject.
 * @tgid: Process id of the subject.
 * @ppid: Process id of the subject's real parent, 0 if not visible.
 * @uid: Real user id of the subject.
 * @start_ns: Start of the subject's process, nanoseconds of CLOCK_BOOTTIME in
 *	the initial time namespace.  (tgid, start_ns) names a process forever.
 * @cgroup_id: Id of the subject's cgroup v2, 0 if there is none.
 * @comm: Name of the subject, ends with a NUL.
 * @fork: Details of PROCESS_FORK and THREAD_CREATE.
 * @exec: Details of PROCESS_EXEC.
 * @exec_failed: Details of EXEC_FAILED.
 * @exit: Details of PROCESS_EXIT and THREAD_EXIT.
 * @abort: Details of PROCESS_ABORT, THREAD_ABORT and COREDUMP.
 * @cred: Details of CRED.
 * @comm_change: Details of COMM.
 * @session: Details of SID.
 * @ptrace: Details of PTRACE.
 * @lost: Details of LOST.
 * @empty: Details of EMPTY.
 * @task: Details of TASK and SNAPSHOT_END.
 */
struct kmonitor_event {
	__aligned_u64 seq;
	__aligned_u64 time_ns;
	__aligned_u64 cookie;
	__u32 type;
	__u16 flags;
	__u16 cpu;
	__s32 pid;
	__s32 tgid;
	__s32 ppid;
	__u32 uid;
	__aligned_u64 start_ns;
	__aligned_u64 cgroup_id;
	char comm[16];
	union {
		struct kmonitor_fork fork;
		struct kmonitor_exec exec;
		struct kmonitor_exec_failed exec_failed;
		struct kmonitor_exit exit;
		struct kmonitor_abort abort;
		struct kmonitor_cred cred;
		struct kmonitor_comm comm_change;
		struct kmonitor_sid session;
		struct kmonitor_ptrace ptrace;
		struct kmonitor_lost lost;
		struct kmonitor_empty empty;
		struct kmonitor_task task;
	};
};

/**
 * struct kmonitor_exec_args - a continuation record of an exec
 * @seq: As in &struct kmonitor_event.
 * @time_ns: As in &struct kmonitor_event.
 * @cookie: As in &struct kmonitor_event.
 * @type: %KMONITOR_EXEC_ARGS.
 * @flags: %KMONITOR_EVENT_TRUNCATED if arguments are missing after the last part.
 * @cpu: As in &struct kmonitor_event.
 * @part: Number of this part, from 0.
 * @nr_parts: Number of parts.
 * @len: Bytes of @data that are used.
 * @reserved: Zero.
 * @data: The path and the arguments, each ended by a NUL, through all parts.
 */
struct kmonitor_exec_args {
	__aligned_u64 seq;
	__aligned_u64 time_ns;
	__aligned_u64 cookie;
	__u32 type;
	__u16 flags;
	__u16 cpu;
	__u16 part;
	__u16 nr_parts;
	__u16 len;
	__u16 reserved;
	char data[88];
};

/**
 * struct kmonitor_snapshot - argument of KMONITOR_IOC_SNAPSHOT
 * @handle: The filter to list, 0 for all filters.
 * @token: Chosen by the caller; repeated in each record of this snapshot.
 * @reserved: Must be zero.
 */
struct kmonitor_snapshot {
	__aligned_u64 handle;
	__aligned_u64 token;
	__aligned_u64 reserved;
};

/**
 * struct kmonitor_kill - argument of KMONITOR_IOC_KILL
 * @handle: A TREE or PROCESS filter.
 * @signo: The signal to send, 0 to count only.
 * @reserved: Must be zero.
 * @signalled: Out: members that got the signal.
 * @refused: Out: members that the caller may not signal.
 */
struct kmonitor_kill {
	__aligned_u64 handle;
	__s32 signo;
	__u32 reserved;
	__u32 signalled;
	__u32 refused;
};

/**
 * struct kmonitor_get_pidfd - argument of KMONITOR_IOC_GET_PIDFD
 * @tgid: Process id.
 * @flags: Must be zero.
 * @start_ns: start_ns of the process, as in its records.
 */
struct kmonitor_get_pidfd {
	__s32 tgid;
	__u32 flags;
	__aligned_u64 start_ns;
};

/**
 * DOC: features of kmonitor_info
 *
 * - %KMONITOR_FEATURE_EXIT_EARLY: %KMONITOR_PROCESS_EXIT comes before the
 *   process has released its memory and files.
 */
#define KMONITOR_FEATURE_EXIT_EARLY (1U << 0)

/**
 * struct kmonitor_info - what this kernel supports and what this fd is
 * @events: Event types that kmonitor_filter.events may hold.
 * @stream_events: Types of the stream records that may appear.
 * @targets: Bits, 1 << &enum kmonitor_target.
 * @filter_flags: Bits of KMONITOR_FILTER_*.
 * @init_flags: Flags of kmonitor_init().
 * @report: Bits of KMONITOR_REPORT_*.
 * @features: Bits of KMONITOR_FEATURE_*.
 * @ioctls: Bits, 1 << _IOC_NR of the supported ioctls.
 * @record_size: Size of a record in bytes: 128.
 * @ring_records: Capacity of this descriptor's ring in records.
 * @mmap_size: Bytes to map, 0 if the ring can't be mapped.
 * @tail_offset: Offset of the writable page with the consumer's position.
 * @header_offset: Offset of the read-only header.
 * @records_offset: Offset of the first record.
 */
struct kmonitor_info {
	__u32 events;
	__u32 stream_events;
	__u32 targets;
	__u32 filter_flags;
	__u32 init_flags;
	__u32 report;
	__u32 features;
	__u32 ioctls;
	__u32 record_size;
	__u32 ring_records;
	__aligned_u64 mmap_size;
	__aligned_u64 tail_offset;
	__aligned_u64 header_offset;
	__aligned_u64 records_offset;
};

/**
 * DOC: the mapped ring
 *
 * mmap(2) with %MAP_SHARED gives any pages of the first kmonitor_info.mmap_size
 * bytes.  The page at tail_offset, mapped alone, may be writable; the rest is
 * read-only.  kmonitor_info has the offsets; they are multiples of the
 * page size of the running kernel.  Errors are those of mmap(2), and
 *
 * - %EINVAL: The range is not inside of mmap_size, or the mapping is private.
 * - %EPERM: More than the page of the tail is to be writable, or anything
 *   executable.
 *
 * The page at tail_offset begins with a __u32: the position of the oldest
 * record that the consumer has not done with.  The record of a position is in
 * slot position % ring_records; it is there when the low half of its seq,
 * loaded with acquire semantics, is position + 1.  When done with it, the
 * consumer stores the position + 1 in the tail with release semantics (by
 * compare-and-exchange if the descriptor is shared or also read(2)).
 *
 * Before it sleeps in poll(2) or epoll_wait(2) a consumer looks once more
 * after a full memory barrier: at the record at the tail, and, with
 * edge-triggered epoll, at kmonitor_header.state and waiting: if there is a
 * loss, or something waits, one poll(2) makes the kernel put the record into
 * the ring.  A level-triggered wait does that by itself.
 *
 * A tail that lies, or runs backwards, harms the consumers of this descriptor
 * only: the ring counts as full, or records come again.
 */

/**
 * DOC: kmonitor_header.state
 *
 * - bits 0 to 31: the position of the next record.
 * - bits 32 to 63: not 0 if records have been dropped since the last
 *   %KMONITOR_LOST.  KMONITOR_IOC_STATS has their number.
 *
 * A record at the tail that is not there, while the position of the next
 * record is another, is in flight: it has a place and will be there soon.
 */
#define KMONITOR_STATE_LOSS_SHIFT 32

/**
 * struct kmonitor_header - the read-only header of a mapped ring
 * @size: Size of this structure in this kernel.
 * @record_size: Size of a record in bytes: 128.
 * @ring_records: Capacity of the ring in records.
 * @wakeup_records: The watermark.
 * @waiting: Number of records that wait for room in the ring: EMPTY, and ends
 *	asked for by name.
 * @reserved: Zero.
 * @state: Position and pending loss in one word.
 * @reserved2: Zero.
 */
struct kmonitor_header {
	__u32 size;
	__u32 record_size;
	__u32 ring_records;
	__u32 wakeup_records;
	__u32 waiting;
	__u32 reserved[11];
	__aligned_u64 state;
	__aligned_u64 reserved2[7];
};

/**
 * struct kmonitor_stats - the accounting of one descriptor
 * @matched: Records that the filter wanted: @recorded + @lost + @pending.
 * @recorded: Records put into the ring, LOST records not counted.
 * @lost: Records reported as lost by LOST records.
 * @pending: Records lost and not yet reported.
 * @depth: Records in the ring now.
 * @peak: Most records that ever were in the ring.
 * @filters: The number of filters.
 * @reserved: Zero.
 *
 * The sum is exact when no event is under way; depth and peak are advisory.
 */
struct kmonitor_stats {
	__aligned_u64 matched;
	__aligned_u64 recorded;
	__aligned_u64 lost;
	__aligned_u64 pending;
	__u32 depth;
	__u32 peak;
	__u32 filters;
	__u32 reserved;
};

/**
 * struct kmonitor_new - argument of KMONITOR_IOC_NEW on /dev/kmonitor
 * @attr: Pointer to a &struct kmonitor_attr, or 0.
 * @size: Size of the attributes in bytes.
 * @flags: Flags as of kmonitor_init().
 */
struct kmonitor_new {
	__aligned_u64 attr;
	__u32 size;
	__u32 flags;
};

#define KMONITOR_IOC_MAGIC 0xDE

#define KMONITOR_IOC_FILTER_ADD \
	_IOWR(KMONITOR_IOC_MAGIC, 1, struct kmonitor_filter)
#define KMONITOR_IOC_FILTER_DEL \
	_IOW(KMONITOR_IOC_MAGIC, 2, struct kmonitor_filter)
#define KMONITOR_IOC_FILTER_CLEAR _IO(KMONITOR_IOC_MAGIC, 3)
#define KMONITOR_IOC_SNAPSHOT \
	_IOW(KMONITOR_IOC_MAGIC, 4, struct kmonitor_snapshot)
#define KMONITOR_IOC_KILL _IOWR(KMONITOR_IOC_MAGIC, 5, struct kmonitor_kill)
#define KMONITOR_IOC_GET_PIDFD \
	_IOW(KMONITOR_IOC_MAGIC, 6, struct kmonitor_get_pidfd)
#define KMONITOR_IOC_INFO _IOR(KMONITOR_IOC_MAGIC, 7, struct kmonitor_info)
#define KMONITOR_IOC_STATS _IOR(KMONITOR_IOC_MAGIC, 8, struct kmonitor_stats)
#define KMONITOR_IOC_NEW _IOW(KMONITOR_IOC_MAGIC, 9, struct kmonitor_new)

#endif /* _UAPI_LINUX_KMONITOR_H */
