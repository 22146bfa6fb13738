/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/inheritance.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define OOM_SCORE "/proc/self/oom_score_adj"
/* Still to be chosen where nothing else is left to choose, unlike -1000. */
#define OOM_SCORE_LAST "-998\n"

static struct {
	struct sigaction pipe, file_size, child;
	struct rlimit files;
	char oom_score[16];
	bool signals_changed, files_changed, oom_score_changed;
} before;

static int silence = -1; /* /dev/null, for COMMAND */

/* Else the first files opened would be what messages are written to. COMMAND has them closed again. */
static void open_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

void inheritance_change(void)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN}, usual = {.sa_handler = SIG_DFL};
	struct rlimit most;

	open_standard_streams();
	before.signals_changed = !sigaction(SIGPIPE, &ignore, &before.pipe) &&
				 !sigaction(SIGXFSZ, &ignore, &before.file_size) &&
				 !sigaction(SIGCHLD, &usual, &before.child);
	if (getrlimit(RLIMIT_NOFILE, &before.files))
		return;
	most = before.files;
	most.rlim_cur = most.rlim_max;
	before.files_changed = !setrlimit(RLIMIT_NOFILE, &most);
}

static bool write_oom_score(const char *text)
{
	int fd = open(OOM_SCORE, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return written;
}

void inheritance_survive(void)
{
	int fd = open(OOM_SCORE, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, before.oom_score, sizeof(before.oom_score) - 1);

	if (fd >= 0)
		close(fd);
	/* Who started heaptap may have asked for more. */
	if (length > 0 && strtol(before.oom_score, NULL, 10) > strtol(OOM_SCORE_LAST, NULL, 10))
		before.oom_score_changed = write_oom_score(OOM_SCORE_LAST);
}

int inheritance_silence(void)
{
	silence = open("/dev/null", O_RDWR | O_CLOEXEC);
	return silence < 0 ? -errno : 0;
}

void inheritance_restore(void)
{
	for (int fd = 0; silence >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(silence, fd);
	if (before.signals_changed) {
		sigaction(SIGPIPE, &before.pipe, NULL);
		sigaction(SIGXFSZ, &before.file_size, NULL);
		sigaction(SIGCHLD, &before.child, NULL);
	}
	if (before.files_changed)
		setrlimit(RLIMIT_NOFILE, &before.files);
	if (before.oom_score_changed)
		write_oom_score(before.oom_score);
}
