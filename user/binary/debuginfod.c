/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client of elfutils, loaded only when the user has named servers: it brings an HTTP library and a dozen others
 * that no other run should pay for. It keeps what it fetched in a cache of its own, as it does for gdb.
 */
#include "binary/debuginfod.h"

#include <dlfcn.h>
#include <elfutils/debuginfod.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "binary/debug_file.h"
#include "binary/elf.h"

#define LIMITS 2

struct debuginfod {
	void *library;
	debuginfod_client *client;
	u64 left_ns; /* of the time for all downloads */
	bool gave_up;
	bool limited[LIMITS]; /* by the user */
	typeof(&debuginfod_find_debuginfo) find;
	typeof(&debuginfod_end) end;
};

/* When the download going on must stop. The library gives its callback nothing that could lead to our own data. */
static u64 stop_ns;

/* The library calls this from time to time while it waits; non-zero ends the wait. */
static int look_at_clock(debuginfod_client *client, long done, long all)
{
	(void)client;
	(void)done;
	(void)all;
	return clock_now_ns() >= stop_ns;
}

static int open_library(struct debuginfod *server)
{
	typeof(&debuginfod_set_progressfn) set_callback;
	typeof(&debuginfod_begin) begin;

	/* What it brings along keeps memory that is lost when it goes: so it stays. */
	server->library = dlopen(DEBUGINFOD_SONAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!server->library)
		return -ENOENT;
	begin = (typeof(begin))dlsym(server->library, "debuginfod_begin");
	set_callback = (typeof(set_callback))dlsym(server->library, "debuginfod_set_progressfn");
	server->find = (typeof(server->find))dlsym(server->library, "debuginfod_find_debuginfo");
	server->end = (typeof(server->end))dlsym(server->library, "debuginfod_end");
	if (!begin || !set_callback || !server->find || !server->end)
		return -ENOENT;
	server->client = begin();
	if (!server->client)
		return -ENOMEM;
	set_callback(server->client, look_at_clock);
	return 0;
}

/*
 * Newer libraries do not call back before a server has answered. They take limits of their own from the environment,
 * in whole seconds, each time anew; where the user has set one, that counts.
 */
static const char *const limits[LIMITS] = {"DEBUGINFOD_TIMEOUT", "DEBUGINFOD_MAXTIME"};

static void limit_library(const struct debuginfod *server)
{
	unsigned long long whole = server->left_ns / 1000000000 + 1;
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%llu", whole);
	for (int i = 0; i < LIMITS; i++)
		if (!server->limited[i])
			setenv(limits[i], seconds, 1);
}

static void lift_limits(const struct debuginfod *server)
{
	for (int i = 0; i < LIMITS; i++)
		if (!server->limited[i])
			unsetenv(limits[i]);
}

int debuginfod_new(u64 budget_ns, struct debuginfod **ret_server)
{
	const char *urls = getenv(DEBUGINFOD_URLS_ENV_VAR);
	struct debuginfod *server;
	int err;

	*ret_server = NULL;
	if (!urls || !*urls)
		return 0;
	server = calloc(1, sizeof(*server));
	if (!server)
		return -ENOMEM;
	server->left_ns = budget_ns;
	for (int i = 0; i < LIMITS; i++)
		server->limited[i] = getenv(limits[i]) != NULL;
	err = open_library(server);
	if (err)
		debuginfod_free(server);
	else
		*ret_server = server;
	return err;
}

void debuginfod_free(struct debuginfod *server)
{
	if (!server)
		return;
	if (server->client)
		server->end(server->client);
	if (server->library)
		dlclose(server->library);
	free(server);
}

bool debuginfod_gave_up(const struct debuginfod *server)
{
	return server->gave_up;
}

int debuginfod_find(struct debuginfod *server, const struct build_id *id, const char *path, struct elf **ret_debug)
{
	u64 begin_ns = clock_now_ns(), spent_ns;
	int fd;

	if (!id->size)
		return -ENOENT;
	if (!server->left_ns) {
		server->gave_up = true;
		return -ENOENT;
	}
	stop_ns = begin_ns + server->left_ns;
	limit_library(server);
	fd = server->find(server->client, id->bytes, (int)id->size, NULL);
	lift_limits(server);
	spent_ns = clock_now_ns() - begin_ns;
	server->gave_up = server->gave_up || (fd < 0 && spent_ns >= server->left_ns);
	server->left_ns -= spent_ns < server->left_ns ? spent_ns : server->left_ns;
	return debug_file_open(id, fd, path, ret_debug);
}
