// SPDX-License-Identifier: GPL-2.0-only
/* family: has a child that ends with status 5, then ends with status 7. */

#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	pid_t child = fork();

	if (!child)
		_exit(5);
	return child > 0 && waitpid(child, NULL, 0) == child ? 7 : 127;
}
