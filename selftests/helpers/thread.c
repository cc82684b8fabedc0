// SPDX-License-Identifier: GPL-2.0-only
/* thread: writes the id of its second thread and waits for its input's end. */

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void *work(void *arg)
{
	(void)arg;
	printf("%d\n", gettid());
	fflush(stdout);
	pause();
	return NULL;
}

int main(void)
{
	pthread_t thread;
	char byte;

	if (pthread_create(&thread, NULL, work, NULL))
		return 127;
	return read(STDIN_FILENO, &byte, 1) ? 127 : 0;
}
