// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps a descriptor for a program that may be killed, as a service manager
 * does: fdstore SOCKET COMMAND [ARG...]
 *
 * The command sends the descriptor to SOCKET, a path that it finds in
 * $NOTIFY_SOCKET, with the text "FDSTORE=1".  If it is killed, it is started
 * again and has the descriptor as its number 3, which $LISTEN_FDS and
 * $LISTEN_PID announce: the protocol of sd_notify(3) and sd_listen_fds(3).
 *
 *	fdstore /tmp/store supervisor web='sleep 5' db='sleep 7'
 *
 * SIGTERM and SIGINT go on to the command.  When it ends by itself, so does
 * fdstore, with its status.
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fdstore.h"

static volatile pid_t command;
static volatile sig_atomic_t ending;

static void pass_on(int signo)
{
	ending = 1;
	if (command > 0)
		kill(command, signo);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	mode_t mask = umask(077);

	if (strlen(path) >= sizeof(address.sun_path))
		errx(1, "%s: too long for the path of a socket", path);
	strcpy(address.sun_path, path);
	if (unlink(path) && errno != ENOENT)
		err(1, "%s", path);
	/* Nobody else may send descriptors. */
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		err(1, "%s", path);
	umask(mask);
	return fd;
}

/* Takes what has been sent; the last descriptor stays. */
static void receive(int from, int *stored)
{
	union fdstore_control control;
	char text[256];
	struct iovec vec = { .iov_base = text, .iov_len = sizeof(text) - 1 };
	struct msghdr message = { .msg_iov = &vec, .msg_iovlen = 1 };
	ssize_t len;
	int fd;

	for (;;) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_LEN(sizeof(fd));
		len = recvmsg(from, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (len < 0)
			return;
		text[len] = '\0';
		if (!message.msg_controllen)
			continue;
		memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
		if (!strncmp(text, FDSTORE_TEXT, strlen(FDSTORE_TEXT))) {
			close(*stored);
			/* Out of the way of FDSTORE_FIRST. */
			*stored = fcntl(fd, F_DUPFD_CLOEXEC, FDSTORE_FIRST + 1);
		}
		close(fd);
	}
}

static void run(char **argv, int stored, const sigset_t *mask)
{
	char pid[16];

	if (stored >= 0) {
		dup2(stored, FDSTORE_FIRST);
		snprintf(pid, sizeof(pid), "%d", getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", "1", 1);
	}
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	err(127, "%s", argv[0]);
}

/* Runs the command once and gives its status; @mask lets signals through. */
static int run_and_wait(char **argv, int stored, const sigset_t *mask)
{
	sigset_t blocked;
	int status;

	command = fork();
	if (command < 0)
		err(1, "fork");
	if (!command)
		run(argv, stored, mask);
	sigprocmask(SIG_SETMASK, mask, &blocked);
	while (waitpid(command, &status, 0) < 0 && errno == EINTR)
		;
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	command = 0;
	return status;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = pass_on };
	int from, status, stored = -1;
	sigset_t set, mask;

	if (argc < 3)
		errx(2, "usage: fdstore SOCKET COMMAND [ARG...]");
	from = listen_at(argv[1]);
	setenv("NOTIFY_SOCKET", argv[1], 1);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, &mask);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	do {
		status = run_and_wait(argv + 2, stored, &mask);
		receive(from, &stored);
	} while (WIFSIGNALED(status) && !ending);
	unlink(argv[1]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
