// SPDX-License-Identifier: GPL-2.0-only
/*
 * One io_uring for clients and for processes: uring_monitor PORT
 *
 * Answers each line of a client at that port of 127.0.0.1 with what has been
 * seen so far: "forks 12 execs 9 exits 11 lost 0".  Without CAP_SYS_PTRACE it
 * sees the processes of its own user only.
 *
 *	uring_monitor 7777 &
 *	echo | nc localhost 7777
 */

#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <liburing.h>

#include "kmon.h"

/* The kinds of completions; that of a client has the client's address. */
#define OF_MONITOR ((void *)1)
#define OF_LISTENER ((void *)2)

/* One request at a time: to send while it has lines to answer, or to receive. */
struct client {
	int fd;
	unsigned int lines;
	char text[128];
};

static struct io_uring ring;
static struct kmon_reader *reader;
static unsigned long forks, execs, exits;
static unsigned long long lost;

static int listen_at(int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, 8))
		err(1, "port %d", port);
	return fd;
}

static int open_monitor(void)
{
	struct kmonitor_filter filter = {
		.target = KMONITOR_TARGET_ALL,
		.events = KMONITOR_PROCESS_FORK | KMONITOR_PROCESS_EXEC |
			  KMONITOR_PROCESS_EXIT,
	};
	int fd = kmon_open(NULL, KMONITOR_CLOEXEC | KMONITOR_NONBLOCK);
	int ret;

	if (fd < 0)
		errx(1, "%s", kmon_open_strerror(fd));
	ret = kmon_filter_add(fd, &filter);
	if (ret == -EPERM) {
		filter.target = KMONITOR_TARGET_UID;
		filter.id = getuid();
		ret = kmon_filter_add(fd, &filter);
	}
	if (ret)
		errx(1, "%s", kmon_filter_strerror(&filter, ret));
	return fd;
}

/* A request to fill in; those before it are submitted if there is no room. */
static struct io_uring_sqe *request(void *user_data)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = io_uring_get_sqe(&ring)))
		io_uring_submit(&ring);
	io_uring_sqe_set_data(sqe, user_data);
	return sqe;
}

static void receive(struct client *client)
{
	io_uring_prep_recv(request(client), client->fd, client->text,
			   sizeof(client->text), 0);
}

static void answer(struct client *client)
{
	int len = snprintf(client->text, sizeof(client->text),
			   "forks %lu execs %lu exits %lu lost %llu\n", forks,
			   execs, exits, lost);

	io_uring_prep_send(request(client), client->fd, client->text, len,
			   MSG_NOSIGNAL | MSG_WAITALL);
}

static void take_client(struct client *client, int res)
{
	if (res <= 0) {
		close(client->fd);
		free(client);
		return;
	}
	if (client->lines)
		client->lines--;
	else
		for (int i = 0; i < res; i++)
			client->lines += client->text[i] == '\n';
	if (client->lines)
		answer(client);
	else
		receive(client);
}

static void accept_more(int listener)
{
	io_uring_prep_multishot_accept(request(OF_LISTENER), listener, NULL,
				       NULL, SOCK_CLOEXEC);
}

static void take_listener(int listener, const struct io_uring_cqe *cqe)
{
	struct client *client;

	if (!(cqe->flags & IORING_CQE_F_MORE))
		accept_more(listener);
	if (cqe->res < 0)
		errx(1, "accept: %s", strerror(-cqe->res));
	client = calloc(1, sizeof(*client));
	if (!client)
		err(1, "client");
	client->fd = cqe->res;
	receive(client);
}

/* Counts what has come; also asks for more, which goes out with the rest. */
static void take_records(void)
{
	const struct kmonitor_event *event;
	int ret;

	while ((ret = kmon_reader_next(reader, &event))) {
		if (ret == -EBUSY) {
			io_uring_submit(&ring);
			continue;
		}
		if (ret < 0)
			errx(1, "reading records: %s", strerror(-ret));
		forks += event->type == KMONITOR_PROCESS_FORK;
		execs += event->type == KMONITOR_PROCESS_EXEC;
		exits += event->type == KMONITOR_PROCESS_EXIT;
		if (event->type == KMONITOR_LOST)
			lost += event->lost.count;
	}
}

static void serve(int listener)
{
	struct io_uring_cqe *cqe;
	int ret;

	for (;;) {
		ret = io_uring_submit_and_wait(&ring, 1);
		if (ret < 0 && ret != -EINTR)
			errx(1, "io_uring_enter: %s", strerror(-ret));
		ret = 0;
		while (!io_uring_peek_cqe(&ring, &cqe)) {
			void *of = io_uring_cqe_get_data(cqe);

			if (of == OF_MONITOR)
				ret = kmon_reader_cqe(reader, cqe);
			else if (of == OF_LISTENER)
				take_listener(listener, cqe);
			else
				take_client(of, cqe->res);
			io_uring_cqe_seen(&ring, cqe);
			if (ret < 0)
				errx(1, "records: %s", strerror(-ret));
			take_records();
		}
	}
}

int main(int argc, char **argv)
{
	int listener, monitor, ret;

	if (argc != 2)
		errx(2, "usage: uring_monitor PORT");
	ret = io_uring_queue_init(64, &ring, 0);
	if (ret)
		errx(1, "io_uring: %s", strerror(-ret));
	monitor = open_monitor();
	ret = kmon_reader_join(monitor, &ring, (uintptr_t)OF_MONITOR, 1,
			       KMON_READER_PASS_LOST, &reader);
	if (ret)
		errx(1, "joining the ring: %s", strerror(-ret));
	listener = listen_at(atoi(argv[1]));
	accept_more(listener);
	serve(listener);
	return 0;
}
