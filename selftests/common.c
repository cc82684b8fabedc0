// SPDX-License-Identifier: GPL-2.0-only
/* Shared by the tests: descriptors, records, children, system settings. */

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "common.h"

void km_die(const char *file, int line, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dprintf(STDERR_FILENO, "# %s:%d: %s\n", file, line, text);
	_exit(EXIT_FAILURE);
}

const char *km_error(int error)
{
	const char *name = strerrorname_np(error < 0 ? -error : error);

	return error && name ? name : "success";
}

/* A descriptor that doesn't block, closed on exec. */
int km_open(uint32_t ring_records)
{
	struct kmonitor_attr attr = { .ring_records = ring_records };
	int fd = km_init(&attr, sizeof(attr),
			 KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);

	check(fd >= 0, "kmonitor_init: %s", km_error(fd));
	return fd;
}

int km_try_add(int fd, uint32_t target, pid_t id, uint32_t events,
	       uint64_t cookie, uint64_t *handle)
{
	struct kmonitor_filter filter = {
		.target = target,
		.id = id,
		.events = events,
		.cookie = cookie,
	};
	int ret = km_ioctl(fd, KMONITOR_IOC_FILTER_ADD, &filter);

	*handle = filter.handle;
	return ret;
}

uint64_t km_add(int fd, uint32_t target, pid_t id, uint32_t events,
		uint64_t cookie)
{
	uint64_t handle;
	int ret = km_try_add(fd, target, id, events, cookie, &handle);

	check(!ret, "FILTER_ADD target %u id %d: expected success, got %s",
	      target, id, km_error(ret));
	check(handle, "FILTER_ADD: expected a handle, got 0");
	return handle;
}

int km_del(int fd, uint64_t handle)
{
	struct kmonitor_filter filter = { .handle = handle };

	return km_ioctl(fd, KMONITOR_IOC_FILTER_DEL, &filter);
}

struct kmonitor_stats km_stats(int fd)
{
	struct kmonitor_stats stats;
	int ret = km_ioctl(fd, KMONITOR_IOC_STATS, &stats);

	check(!ret, "STATS: %s", km_error(ret));
	return stats;
}

bool km_readable(int fd, int timeout_ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	return must(poll(&pollfd, 1, timeout_ms)) == 1;
}

/* Reads up to max records; gives their number. */
int km_read(int fd, struct kmonitor_event *event, size_t max)
{
	ssize_t len = read(fd, event, max * sizeof(*event));

	if (len < 0)
		return -errno;
	check(len && !(len % sizeof(*event)),
	      "read: expected whole records, got %zd bytes", len);
	return len / sizeof(*event);
}

/* Reads one record and waits for it. */
void km_next(int fd, struct kmonitor_event *event)
{
	int nr;

	check(km_readable(fd, KM_TIMEOUT_MS), "no record in time");
	nr = km_read(fd, event, 1);
	check(nr == 1, "read: expected a record, got %s", km_error(nr));
}

/* Adds all that is there to the log.  No seq may be missing. */
void km_drain(int fd, struct km_log *log)
{
	const struct kmonitor_event *event;
	int nr;

	for (;;) {
		if (log->nr == log->room) {
			log->room = log->room * 2 + 64;
			log->event =
				realloc(log->event, log->room * sizeof(*event));
			check(log->event, "no memory for the log");
		}
		nr = km_read(fd, log->event + log->nr, log->room - log->nr);
		if (nr == -EAGAIN)
			return;
		check(nr > 0, "read: %s", km_error(nr));
		for (; nr; nr--, log->nr++) {
			event = log->event + log->nr;
			check(!log->nr || event->seq == event[-1].seq + 1,
			      "expected seq %ju, got %ju",
			      (uintmax_t)event[-1].seq + 1,
			      (uintmax_t)event->seq);
		}
	}
}

/* Reads until the log has such a record; pid 0 is any. */
void km_read_until(int fd, struct km_log *log, uint32_t type, pid_t pid)
{
	for (;;) {
		km_drain(fd, log);
		if (km_find(log, type, pid))
			return;
		check(km_readable(fd, KM_TIMEOUT_MS), "no %s of %d in time",
		      km_type_name(type), pid);
	}
}

/* Takes a snapshot to its end, into the log if there is one; the number of calls. */
unsigned int km_list(int fd, uint64_t handle, uint64_t token,
		     struct km_log *log)
{
	struct kmonitor_snapshot arg = { .handle = handle, .token = token };
	unsigned int calls = 0;
	int ret;

	do {
		ret = km_ioctl(fd, KMONITOR_IOC_SNAPSHOT, &arg);
		if (log)
			km_drain(fd, log);
		calls++;
	} while (ret == 1);
	check(!ret, "SNAPSHOT: %s", km_error(ret));
	return calls;
}

const struct kmonitor_event *km_find(const struct km_log *log, uint32_t type,
				     pid_t pid)
{
	for (size_t i = 0; i < log->nr; i++) {
		if (log->event[i].type == type &&
		    (!pid || log->event[i].pid == pid))
			return log->event + i;
	}
	return NULL;
}

/* The PROCESS_FORK or THREAD_CREATE of this child. */
const struct kmonitor_event *km_find_fork(const struct km_log *log, pid_t child)
{
	const uint32_t types = KMONITOR_PROCESS_FORK | KMONITOR_THREAD_CREATE;

	for (size_t i = 0; i < log->nr; i++) {
		if (log->event[i].type & types &&
		    log->event[i].fork.pid == child)
			return log->event + i;
	}
	return NULL;
}

/* The number of records of any of these types; pid 0 is any. */
size_t km_count(const struct km_log *log, uint32_t type, pid_t pid)
{
	size_t count = 0;

	for (size_t i = 0; i < log->nr; i++)
		count += log->event[i].type & type &&
			 (!pid || log->event[i].pid == pid);
	return count;
}

const char *km_type_name(uint32_t type)
{
	switch (type) {
	case KMONITOR_PROCESS_FORK:
		return "PROCESS_FORK";
	case KMONITOR_THREAD_CREATE:
		return "THREAD_CREATE";
	case KMONITOR_PROCESS_EXEC:
		return "PROCESS_EXEC";
	case KMONITOR_THREAD_EXIT:
		return "THREAD_EXIT";
	case KMONITOR_PROCESS_EXIT:
		return "PROCESS_EXIT";
	case KMONITOR_LOST:
		return "LOST";
	case KMONITOR_EMPTY:
		return "EMPTY";
	default:
		return "record of another type";
	}
}

pid_t km_fork(void)
{
	return must(fork());
}

int km_join(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0));
	return status;
}

/* A child that ends at once. */
pid_t km_fork_to_end(int status)
{
	pid_t child = km_fork();

	if (!child)
		_exit(status);
	return child;
}

/* A child that has lived and was reaped when this returns. */
pid_t km_fork_and_join(int status)
{
	pid_t child = km_fork_to_end(status);

	km_join(child);
	return child;
}

/* As fork, with flags of clone(2). */
pid_t km_raw_clone(unsigned long flags)
{
	return must(syscall(SYS_clone, flags, NULL, NULL, NULL, NULL));
}

void km_gate(int gate[2])
{
	must(pipe2(gate, O_CLOEXEC));
}

void km_gate_open(int gate[2])
{
	must(write(gate[1], "", 1));
}

void km_gate_wait(int gate[2])
{
	char token;

	check(must(read(gate[0], &token, 1)) == 1, "the gate is gone");
}

/* A child that waits at the gate and ends. */
pid_t km_fork_at_gate(int gate[2])
{
	pid_t child = km_fork();

	if (!child) {
		km_gate_wait(gate);
		_exit(0);
	}
	return child;
}

/* For good, and as visible as a process that has always been this user's. */
void km_become(uid_t uid, gid_t gid)
{
	must(setgroups(0, NULL));
	must(setresgid(gid, gid, gid));
	must(setresuid(uid, uid, uid));
	/* Changing ids has made the process as secret as a set-uid program. */
	must(prctl(PR_SET_DUMPABLE, 1));
}

/* A child with these ids that waits at the gate. */
pid_t km_fork_as(uid_t uid, gid_t gid, int gate[2])
{
	int ready[2];
	pid_t child;

	km_gate(ready);
	child = km_fork();
	if (!child) {
		km_become(uid, gid);
		km_gate_open(ready);
		km_gate_wait(gate);
		_exit(0);
	}
	km_gate_wait(ready);
	close(ready[0]);
	close(ready[1]);
	return child;
}

union fd_message {
	char buffer[CMSG_SPACE(sizeof(int))];
	struct cmsghdr header;
};

void km_send_fd(int socket, int fd)
{
	struct iovec byte = { .iov_base = "", .iov_len = 1 };
	union fd_message control = {};
	struct msghdr message = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	must(sendmsg(socket, &message, 0));
}

int km_receive_fd(int socket)
{
	char byte;
	struct iovec vec = { .iov_base = &byte, .iov_len = 1 };
	union fd_message control;
	struct msghdr message = {
		.msg_iov = &vec,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	check(must(recvmsg(socket, &message, 0)) == 1 &&
		      message.msg_controllen >= CMSG_LEN(sizeof(fd)),
	      "expected a descriptor in the message");
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

/* A page, with one behind it that can't be accessed. */
char *km_guarded_page(void)
{
	char *page = must(mmap(NULL, 2 * KM_PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	must(mprotect(page + KM_PAGE, KM_PAGE, PROT_NONE));
	return page;
}

static bool slow;

/* Asked while the program may still look. */
__attribute__((constructor)) static void look_for_checkers(void)
{
	slow = !access("/sys/kernel/debug/kmemleak", F_OK) ||
	       !access("/sys/kernel/debug/kcsan", F_OK);
}

/* Whether the kernel has the checkers that make it slow. */
bool km_is_slow(void)
{
	return slow;
}

/*
 * A count for this kernel and program: what a 32-bit program repeats it need
 * not repeat as often.
 */
unsigned int km_scale(unsigned int release, unsigned int debug)
{
	return sizeof(void *) == 4 || km_is_slow() ? debug : release;
}

/* The path of a helper program. */
char *km_helper(const char *name)
{
	char self[PATH_MAX];
	ssize_t len = must(readlink("/proc/self/exe", self, sizeof(self) - 1));
	char *path;

	self[len] = '\0';
	*strrchr(self, '/') = '\0';
	must(asprintf(&path, "%s/helpers/%s", self, name));
	return path;
}

/* A copy of a helper that is set-uid to its owner and has no name any more. */
int km_open_suid(const char *name, uid_t owner)
{
	char path[] = "/tmp/suid.XXXXXX";
	char *from = km_helper(name);
	int source = must(open(from, O_RDONLY | O_CLOEXEC));
	int to = must(mkstemp(path));
	struct stat info;
	int program;

	must(fstat(source, &info));
	check(must(sendfile(to, source, NULL, info.st_size)) == info.st_size,
	      "short copy of %s", from);
	must(fchown(to, owner, -1));
	must(fchmod(to, 04755));
	close(source);
	close(to);
	free(from);
	program = must(open(path, O_RDONLY | O_CLOEXEC));
	must(unlink(path));
	return program;
}

/* Sets a number in /proc and gives the one before. */
long km_sysctl(const char *path, long value)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char text[32] = "";

	check(fd >= 0, "%s: %s", path, km_error(errno));
	must(read(fd, text, sizeof(text) - 1));
	must(lseek(fd, 0, SEEK_SET));
	check(dprintf(fd, "%ld\n", value) > 0, "%s: can't write %ld", path,
	      value);
	close(fd);
	return strtol(text, NULL, 0);
}

int km_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : write(fd, text, strlen(text));
	int error = len < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return error;
}

void km_must_write(const char *path, const char *text)
{
	int error = km_write_file(path, text);

	check(!error, "%s: can't write %s: %s", path, text, km_error(error));
}

/* Field 3 and above of /proc/TID/stat; 0 if the task is gone. */
static uint64_t stat_field(pid_t tid, int field)
{
	char path[32], text[1024];
	ssize_t len;
	char *p;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return 0;
	text[len] = '\0';
	p = strrchr(text, ')') + 2;
	for (int i = 3; i < field; i++)
		p = strchr(p, ' ') + 1;
	return field == 3 ? (uint64_t)*p : strtoull(p, NULL, 10);
}

char km_state(pid_t tid)
{
	return stat_field(tid, 3);
}

/* When it started, in clock ticks of CLOCK_BOOTTIME. */
uint64_t km_start_ticks(pid_t pid)
{
	return stat_field(pid, 22);
}

uint64_t km_boottime_ns(void)
{
	struct timespec now;

	must(clock_gettime(CLOCK_BOOTTIME, &now));
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* The name of the calling thread. */
const char *km_comm(void)
{
	static char comm[16];

	must(prctl(PR_GET_NAME, comm));
	return comm;
}

int km_cpus(void)
{
	return must(sysconf(_SC_NPROCESSORS_ONLN));
}

/* To that CPU; where there are fewer, the numbers begin again with 0. */
void km_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % km_cpus(), &set);
	must(sched_setaffinity(0, sizeof(set), &set));
}

unsigned int km_seconds(unsigned int otherwise)
{
	FILE *file = fopen("/proc/cmdline", "re");
	char line[2048] = "";
	const char *word;

	if (!file)
		return otherwise;
	word = fgets(line, sizeof(line), file) ? strstr(line, "kmon.seconds=") :
						 NULL;
	fclose(file);
	return word ? (unsigned int)atoi(strchr(word, '=') + 1) : otherwise;
}

/* A listening socket on the port, or on any; -errno if the port is taken. */
int km_listen(in_port_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = *port };
	socklen_t len = sizeof(address);
	int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	if (bind(fd, (struct sockaddr *)&address, len)) {
		int error = errno;

		close(fd);
		return -error;
	}
	must(listen(fd, 1));
	must(getsockname(fd, (struct sockaddr *)&address, &len));
	*port = address.sin_port;
	return fd;
}
