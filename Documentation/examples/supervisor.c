// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps services running: supervisor MS NAME=COMMAND...
 *
 * Each service is a tree with its name as cookie.  If its main process ends, so
 * does the rest; when all has ended it is started again after MS milliseconds,
 * twice as long each time until it runs for ten seconds.  SIGTERM ends all
 * services, a second one kills them.
 *
 * It may be killed at any time.  Its descriptor is kept by its parent, a service
 * manager or fdstore.c, and is all that the next supervisor needs: fdinfo has
 * the trees that live, a snapshot the main processes that do.
 * If the store goes, too, the services end with the descriptor.
 *
 *	fdstore /tmp/store supervisor 100 web='sleep 5' db='sleep 7'
 */

#include <err.h>
#include <limits.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "fdinfo.h"
#include "fdstore.h"
#include "kmon.h"
#include "services.h"

static int monitor;
static uint64_t token;
static bool look_again;
static sigset_t mask;

static void signal_tree(uint64_t handle, int signo)
{
	struct kmonitor_kill kill = { .handle = handle, .signo = signo };
	int ret = kmon_kill(monitor, &kill);

	if (ret && ret != -ENOENT)
		errx(1, "signalling a service: %s", strerror(-ret));
}

/*
 * In a child that has just joined its tree: if the supervisor has been killed,
 * the next one may have looked before that, and starts another.
 */
static int has_supervisor(void *arg)
{
	return getppid() == *(pid_t *)arg ? 0 : -ECHILD;
}

static void start(struct service *s)
{
	char *argv[] = { "sh", "-c", s->command, NULL };
	pid_t pid = 0, self = getpid();
	const struct kmon_command command = { .file = "/bin/sh",
					      .argv = argv,
					      .mask = &mask,
					      .prepare = has_supervisor,
					      .arg = &self };
	struct kmonitor_filter tree = { .flags = KMONITOR_FILTER_KILL_ON_CLOSE,
					.events = KMONITOR_PROCESS_EXIT,
					.cookie = s->cookie };
	int ret = kmon_spawn(monitor, &tree, &command, &pid);

	s->handle = tree.handle;
	s->pid = pid;
	if (ret)
		back_off(s, strerror(-ret));
	else
		printf("%s: process %d\n", s->name, pid);
}

static void take_empty(struct service *s, const struct kmonitor_event *event)
{
	char status[64];

	/* A record of an earlier tree, or of one that has ended unsupervised. */
	if (event->empty.handle != s->handle && (s->handle || s->due_ms))
		return;
	if (event->time_ns - event->start_ns > STABLE_NS)
		s->delay_ms = first_delay_ms;
	kmon_format_status(event->empty.root_status, status, sizeof(status));
	back_off(s, status);
}

static void take(const struct kmonitor_event *event)
{
	struct service *s = find(event->cookie);

	if (event->type == KMONITOR_LOST)
		look_again = true;
	else if (s && event->type == KMONITOR_EMPTY)
		take_empty(s, event);
	else if (!s || !s->handle || (uint64_t)event->tgid != s->pid)
		return;
	else if (event->type == KMONITOR_PROCESS_EXIT)
		signal_tree(s->handle, SIGKILL);
	else if (event->type == KMONITOR_TASK && event->task.token == token)
		s->seen |= event->start_ns == s->start_ns;
}

static void drain(void)
{
	struct kmonitor_event event;
	int ret;

	while ((ret = kmon_read(monitor, &event, 1)) == 1)
		take(&event);
	if (ret != -EAGAIN)
		errx(1, "reading records: %s", strerror(-ret));
}

/*
 * At the start, and when records were lost: which trees live, and which of
 * their main processes.  For other trees EMPTY has come, or will.
 */
static void look(void)
{
	struct kmonitor_snapshot snapshot = {};
	FILE *file = fdinfo_open(monitor);
	struct fdinfo_entry entry;
	struct service *s;
	int more;

	if (!file)
		err(1, "fdinfo");
	while (fdinfo_next(file, &entry)) {
		s = find(entry.filter.cookie);
		if (s) {
			s->handle = entry.filter.handle;
			s->pid = entry.filter.id;
			s->start_ns = entry.start_ns;
			s->seen = false;
		} else {
			/* Wanted no more. */
			signal_tree(entry.filter.handle, SIGKILL);
		}
	}
	fclose(file);

	/* With the token of another, what it had begun would go on. */
	token = (uint64_t)getpid() << 32 | (uint32_t)now_ms();
	snapshot.token = token;
	look_again = false;
	do {
		more = kmon_snapshot(monitor, &snapshot);
		drain();
	} while (more > 0);
	if (more)
		errx(1, "snapshot: %s", strerror(-more));
	for (s = services; s < services_end && !look_again; s++)
		if (s->handle && !s->seen)
			signal_tree(s->handle, SIGKILL);
}

/* Gives the milliseconds until another may start. */
static int start_due(void)
{
	int64_t left, next = INT_MAX;

	for (struct service *s = services; s < services_end; s++) {
		left = s->handle ? INT_MAX : s->due_ms - now_ms();
		if (left <= 0) {
			start(s);
			left = s->delay_ms;
		}
		next = left < next ? left : next;
	}
	return next;
}

/* Whether anything runs, after sending it a signal other than 0. */
static bool signal_all(int signo)
{
	bool running = false;

	for (struct service *s = services; s < services_end; s++) {
		if (s->handle && signo)
			signal_tree(s->handle, signo);
		running |= s->handle;
	}
	return running;
}

static void run(int signals)
{
	struct pollfd fds[] = { { .fd = monitor, .events = POLLIN },
				{ .fd = signals, .events = POLLIN } };
	struct signalfd_siginfo info;
	int requests = 0;

	look_again = true;
	do {
		while (look_again)
			look();
		poll(fds, 2, requests ? -1 : start_due());
		if (read(signals, &info, sizeof(info)) > 0)
			signal_all(requests++ ? SIGKILL : SIGTERM);
		drain();
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	} while (!requests || signal_all(0));
}

static void open_monitor(void)
{
	monitor = fdstore_get();
	if (monitor >= 0)
		return;
	monitor = kmon_open(NULL, KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);
	if (monitor < 0)
		errx(1, "%s", kmon_open_strerror(monitor));
	if (fdstore_put(monitor))
		warnx("no store: the services end with the supervisor");
}

int main(int argc, char **argv)
{
	sigset_t set;

	if (argc < 3)
		errx(2, "usage: supervisor MS NAME=COMMAND...");
	setlinebuf(stdout);
	first_delay_ms = atoi(argv[1]);
	services = calloc(argc, sizeof(*services));
	if (!services)
		err(1, "services");
	services_end = services;
	for (int i = 2; i < argc; i++)
		add_service(argv[i]);
	open_monitor();
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &mask);
	/* None of the services' business. */
	unsetenv("NOTIFY_SOCKET");
	run(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
	return 0;
}
