/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the tests: descriptors, records, children, system settings.
 *
 * Calls that must succeed for a test to make sense end the test when they fail.
 * Functions that return an int error give -errno.
 */
#ifndef KMONITOR_SELFTESTS_COMMON_H
#define KMONITOR_SELFTESTS_COMMON_H

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <unistd.h>

#include <linux/kmonitor.h>

#ifndef __NR_kmonitor_init
#define __NR_kmonitor_init 500
#endif

/* The five events in the life of a process. */
#define KM_LIFE                                           \
	(KMONITOR_PROCESS_FORK | KMONITOR_THREAD_CREATE | \
	 KMONITOR_PROCESS_EXEC | KMONITOR_THREAD_EXIT | KMONITOR_PROCESS_EXIT)

/* How long to wait for what must come: the debug kernel is slow. */
#define KM_TIMEOUT_MS 60000
#define KM_TEST_TIMEOUT 240
/* For tests that last as long as kmon.seconds says: the VM has its own limit. */
#define KM_STORM_TIMEOUT 86400

#ifdef TEST_TIMEOUT_DEFAULT
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT KM_TEST_TIMEOUT
#endif

/* Ends the process with a message. */
#define die(...) km_die(__FILE__, __LINE__, __VA_ARGS__)

/* Ends the process with the message unless the condition holds. */
#define check(condition, ...)             \
	do {                              \
		if (!(condition))         \
			die(__VA_ARGS__); \
	} while (0)

/* Evaluates a call that returns -1 on error; ends the process on error. */
#define must(call)                                                          \
	({                                                                  \
		__typeof__(call) must_result = (call);                      \
		check(must_result != (__typeof__(call))-1, "%s: %s", #call, \
		      km_error(errno));                                     \
		must_result;                                                \
	})

void km_die(const char *file, int line, const char *format, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
const char *km_error(int error);

/* Descriptors. */

static inline int km_init(const void *attr, size_t size, unsigned int flags)
{
	long ret = syscall(__NR_kmonitor_init, attr, size, flags);

	return ret < 0 ? -errno : (int)ret;
}

static inline int km_ioctl(int fd, unsigned int cmd, const void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

int km_open(uint32_t ring_records);
int km_try_add(int fd, uint32_t target, pid_t id, uint32_t events,
	       uint64_t cookie, uint64_t *handle);
uint64_t km_add(int fd, uint32_t target, pid_t id, uint32_t events,
		uint64_t cookie);
int km_del(int fd, uint64_t handle);
struct kmonitor_stats km_stats(int fd);
bool km_readable(int fd, int timeout_ms);

/* Records. */

struct km_log {
	struct kmonitor_event *event;
	size_t nr;
	size_t room;
};

int km_read(int fd, struct kmonitor_event *event, size_t max);
void km_next(int fd, struct kmonitor_event *event);
void km_drain(int fd, struct km_log *log);
void km_read_until(int fd, struct km_log *log, uint32_t type, pid_t pid);
unsigned int km_list(int fd, uint64_t handle, uint64_t token,
		     struct km_log *log);
const struct kmonitor_event *km_find(const struct km_log *log, uint32_t type,
				     pid_t pid);
const struct kmonitor_event *km_find_fork(const struct km_log *log,
					  pid_t child);
size_t km_count(const struct km_log *log, uint32_t type, pid_t pid);
const char *km_type_name(uint32_t type);

/* Children.  A gate is a pipe: each token lets one waiter pass. */

pid_t km_fork(void);
int km_join(pid_t pid);
pid_t km_fork_to_end(int status);
pid_t km_fork_and_join(int status);
pid_t km_raw_clone(unsigned long flags);
void km_gate(int gate[2]);
void km_gate_open(int gate[2]);
void km_gate_wait(int gate[2]);
pid_t km_fork_at_gate(int gate[2]);
void km_become(uid_t uid, gid_t gid);
pid_t km_fork_as(uid_t uid, gid_t gid, int gate[2]);
void km_send_fd(int socket, int fd);
int km_receive_fd(int socket);
int km_listen(in_port_t *port);

/* The system. */

#define KM_PAGE 4096

char *km_guarded_page(void);
bool km_is_slow(void);
unsigned int km_scale(unsigned int release, unsigned int debug);
char *km_helper(const char *name);
int km_open_suid(const char *name, uid_t owner);
long km_sysctl(const char *path, long value);
int km_write_file(const char *path, const char *text);
void km_must_write(const char *path, const char *text);
char km_state(pid_t tid);
uint64_t km_start_ticks(pid_t pid);

/* How long a storm is to last: kmon.seconds on the kernel's command line. */
unsigned int km_seconds(unsigned int otherwise);
uint64_t km_boottime_ns(void);
const char *km_comm(void);
int km_cpus(void);
void km_pin(int cpu);

#endif /* KMONITOR_SELFTESTS_COMMON_H */
