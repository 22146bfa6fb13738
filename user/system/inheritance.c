/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/inheritance.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

static struct {
	struct sigaction pipe, file_size;
	struct rlimit files;
	bool signals_changed, files_changed;
} before;

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
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct rlimit most;

	open_standard_streams();
	before.signals_changed =
		!sigaction(SIGPIPE, &ignore, &before.pipe) && !sigaction(SIGXFSZ, &ignore, &before.file_size);
	if (getrlimit(RLIMIT_NOFILE, &before.files))
		return;
	most = before.files;
	most.rlim_cur = most.rlim_max;
	before.files_changed = !setrlimit(RLIMIT_NOFILE, &most);
}

void inheritance_restore(void)
{
	if (before.signals_changed) {
		sigaction(SIGPIPE, &before.pipe, NULL);
		sigaction(SIGXFSZ, &before.file_size, NULL);
	}
	if (before.files_changed)
		setrlimit(RLIMIT_NOFILE, &before.files);
}
