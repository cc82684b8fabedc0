// SPDX-License-Identifier: GPL-2.0-only
/* Runs one command of the host on the host's own root, which stays unwritten: the
 * upper layer is in memory.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "init.h"

#define MAX_WORDS 256

/* The command, as the initramfs brings it in /job: NUL-terminated words. */
struct job {
	char argv_text[131072];
	char envp_text[65536];
	char cwd[4096];
	char size[64];
	char *argv[MAX_WORDS];
	char *envp[MAX_WORDS];
};

static size_t load(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t done = 0;
	ssize_t len;

	while (fd >= 0 && done < size - 1 &&
	       (len = read(fd, text + done, size - 1 - done)) > 0)
		done += len;
	if (fd >= 0)
		close(fd);
	text[done] = '\0';
	return done;
}

static void load_words(const char *path, char *text, size_t size, char **words)
{
	size_t len = load(path, text, size);
	size_t count = 0;

	for (char *word = text; word < text + len && count < MAX_WORDS - 1;
	     word += strlen(word) + 1)
		words[count++] = word;
	words[count] = NULL;
}

static int enter_host_root(void)
{
	mkdir("/host", 0755);
	mkdir("/layer", 0755);
	mkdir("/new", 0755);
	if (mount("host", "/host", "9p", MS_RDONLY,
		  "trans=virtio,version=9p2000.L,msize=262144,cache=loose")) {
		perror("init: the host's root");
		return -1;
	}
	mount_at("tmpfs", "/layer", "mode=0755");
	mkdir("/layer/upper", 0755);
	mkdir("/layer/work", 0755);
	if (mount("overlay", "/new", "overlay", 0,
		  "lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work")) {
		perror("init: overlay");
		return -1;
	}
	if (mount("/dev", "/new/dev", NULL, MS_MOVE, NULL) ||
	    mount("/proc", "/new/proc", NULL, MS_MOVE, NULL) ||
	    mount("/sys", "/new/sys", NULL, MS_MOVE, NULL)) {
		perror("init: moving the pseudo file systems");
		return -1;
	}
	/* Moved over the root, not only chrooted into: user namespaces need that. */
	if (chdir("/new") || mount(".", "/", NULL, MS_MOVE, NULL) ||
	    chroot(".") || chdir("/")) {
		perror("init: the new root");
		return -1;
	}
	return 0;
}

/* Makes the first serial port the command's terminal. */
static void take_terminal(const char *size)
{
	struct winsize window = { 0 };
	struct termios mode;
	int fd;

	setsid();
	fd = open("/dev/ttyS0", O_RDWR);
	if (fd < 0)
		return;
	ioctl(fd, TIOCSCTTY, 0);
	tcgetattr(fd, &mode);
	if (sscanf(size, "%hu %hu", &window.ws_row, &window.ws_col) == 2) {
		ioctl(fd, TIOCSWINSZ, &window);
		dup2(fd, STDIN_FILENO);
	} else {
		int null = open("/dev/null", O_RDONLY);

		/* No terminal outside either: bytes go out as they are. */
		mode.c_oflag &= ~OPOST;
		mode.c_lflag &= ~(ECHO | ISIG | ICANON);
		tcsetattr(fd, TCSANOW, &mode);
		dup2(null, STDIN_FILENO);
		close(null);
	}
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static void start(struct job *job)
{
	take_terminal(job->size);
	if (chdir(job->cwd))
		fprintf(stderr, "init: %s: %m\n", job->cwd);
	execvpe(job->argv[0], job->argv, job->envp);
	perror(job->argv[0]);
	_exit(127);
}

/* Returns the command's exit status as a shell would give it. */
int run_on_host(void)
{
	static struct job job;
	int status = 0;
	pid_t pid, got;

	load_words("/job/argv", job.argv_text, sizeof(job.argv_text), job.argv);
	load_words("/job/env", job.envp_text, sizeof(job.envp_text), job.envp);
	load("/job/cwd", job.cwd, sizeof(job.cwd));
	load("/job/size", job.size, sizeof(job.size));
	if (!job.argv[0] || enter_host_root())
		return 125;

	pid = fork();
	if (!pid) {
		/* execvpe() looks the program up along PID 1's own PATH. */
		clearenv();
		for (char **word = job.envp; *word; word++)
			putenv(*word);
		start(&job);
	}
	do {
		got = waitpid(-1, &status, 0);
	} while (got != pid && (got > 0 || errno == EINTR));
	kill_all();
	if (got != pid)
		return 125;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
