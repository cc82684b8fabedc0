// SPDX-License-Identifier: GPL-2.0-only
/*
 * threads STATUS [PROGRAM ARG...]: three threads, each with a child of its
 * own; the leader leaves without them.  The last thread ends the process with
 * this status, or runs the program instead.
 */

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 3

static char **arguments;
static int done;

static void *work(void *arg)
{
	pid_t child = fork();

	(void)arg;
	if (!child)
		_exit(3);
	if (child < 0 || waitpid(child, NULL, 0) != child)
		_exit(127);
	if (__atomic_add_fetch(&done, 1, __ATOMIC_ACQ_REL) < THREADS)
		return NULL;
	if (arguments[2]) {
		execv(arguments[2], arguments + 2);
		_exit(127);
	}
	_exit(atoi(arguments[1]));
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc < 2)
		return 127;
	arguments = argv;
	for (int i = 0; i < THREADS; i++) {
		if (pthread_create(&thread, NULL, work, NULL))
			return 127;
	}
	pthread_exit(NULL);
}
