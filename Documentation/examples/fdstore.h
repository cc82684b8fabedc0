/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a program leaves a descriptor with what has started it, and has it again
 * when it is started anew: what sd_notify(3) and sd_listen_fds(3) of libsystemd
 * do, for one descriptor.
 */
#ifndef FDSTORE_H
#define FDSTORE_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FDSTORE_FIRST 3
#define FDSTORE_TEXT "FDSTORE=1"

/* Room for one descriptor in a message. */
union fdstore_control {
	char buffer[CMSG_SPACE(sizeof(int))];
	struct cmsghdr header;
};

/* The stored descriptor, or -1. */
static inline int fdstore_get(void)
{
	const char *pid = getenv("LISTEN_PID");
	const char *fds = getenv("LISTEN_FDS");

	if (!pid || atoi(pid) != getpid() || !fds || atoi(fds) < 1)
		return -1;
	if (fcntl(FDSTORE_FIRST, F_SETFD, FD_CLOEXEC))
		return -1;
	return FDSTORE_FIRST;
}

/* Stores a descriptor; gives a negative errno value, -ENXIO without a store. */
static inline int fdstore_put(int fd)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	union fdstore_control control = { .header = {
						  .cmsg_len =
							  CMSG_LEN(sizeof(fd)),
						  .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS,
					  } };
	struct iovec vec = { .iov_base = FDSTORE_TEXT,
			     .iov_len = strlen(FDSTORE_TEXT) };
	struct msghdr message = {
		.msg_name = &to,
		.msg_iov = &vec,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	size_t len = path ? strlen(path) : 0;
	int from, error = 0;

	if (!len || len >= sizeof(to.sun_path))
		return -ENXIO;
	memcpy(to.sun_path, path, len);
	/* An abstract address. */
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	message.msg_namelen = offsetof(struct sockaddr_un, sun_path) + len;
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	from = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sendmsg(from, &message, MSG_NOSIGNAL) < 0)
		error = -errno;
	if (from >= 0)
		close(from);
	return error;
}

#endif /* FDSTORE_H */
