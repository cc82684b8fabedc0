// SPDX-License-Identifier: GPL-2.0-only
/* sudo PROGRAM ARG...: becomes the user that it is set-uid to, and runs PROGRAM. */

#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 2 || setresuid(geteuid(), geteuid(), geteuid()))
		return 127;
	execv(argv[1], argv + 1);
	return 127;
}
