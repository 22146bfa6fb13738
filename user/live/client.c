/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/status.h"
#include "live/recorded.h"
#include "system/shortage.h"
#include "system/signals.h"

#define LOOK_MS 50 /* between two looks whether the client has returned */

static void work(void *arg)
{
	struct client_run *run = arg;

	run->status = run->client->run(run->source, run->stop_fd, run->client->arg);
}

int client_start(struct client_run *run, const struct live_client *client, struct source *source)
{
	int err;

	*run = (struct client_run){.client = client, .source = source, .status = STATUS_FAILED};
	run->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = run->stop_fd < 0 ? -errno : thread_start(&run->thread, work, run);
	if (!err)
		return STATUS_DONE;
	log_error("cannot start a thread: %s", strerror(-err));
	client_finish(run);
	return STATUS_FAILED;
}

bool client_is_done(const struct client_run *run)
{
	return thread_is_done(&run->thread);
}

void client_stop(struct client_run *run)
{
	eventfd_write(run->stop_fd, 1);
}

int client_finish(struct client_run *run)
{
	thread_finish(&run->thread);
	if (run->stop_fd >= 0)
		close(run->stop_fd);
	run->stop_fd = -1;
	return run->status;
}

static void wait_for(struct client_run *run, struct signals *signals)
{
	struct pollfd fd = {.fd = signals->fd, .events = POLLIN};

	while (!client_is_done(run)) {
		poll(&fd, 1, LOOK_MS);
		signals_read(signals);
		if (signals->stop)
			client_stop(run);
	}
}

static int take_signals(struct signals *signals)
{
	int err = signals_take(signals);

	if (!err)
		return STATUS_DONE;
	log_error("cannot wait for signals: %s", shortage_explain(err).text);
	return STATUS_FAILED;
}

int client_run_recorded(const char *path, const struct live_client *client)
{
	struct signals signals = {.fd = -1};
	struct source *source = NULL;
	struct client_run run;
	int status = recorded_open(path, &source);

	if (status)
		return status;
	status = take_signals(&signals);
	status = status ? status : client_start(&run, client, source);
	if (!status) {
		wait_for(&run, &signals);
		status = client_finish(&run);
	}
	signals_return(&signals);
	source_close(source);
	return status;
}
