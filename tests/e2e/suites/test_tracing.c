/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tracing that ends early: when its client cannot begin, COMMAND goes on without probes. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/status.h"
#include "e2e/kit/code.h"
#include "e2e/kit/session.h"
#include "record/tracing.h"
#include "system/inheritance.h"
#include "trace/libbpf_log.h"
#include "trace/link_keeper.h"

/* COMMAND's standard streams are pipes; so are the tracer's, which is in a process of its own. */
struct streams {
	int in[2], out[2], go[2], said[2];
};

/* As those who trace do it when they fail once COMMAND runs. */
static int trace_and_fail(const struct streams *streams)
{
	static char *command[] = {(char *)"sh", (char *)"-c", (char *)"echo $$; read -r line", NULL};
	const struct tracing_options options = {.target.command = command, .sample_bytes = 1};
	struct tracing tracing;
	char go;
	int status;

	inheritance_change();
	libbpf_log_take();
	status = tracing_open(&options, &tracing);
	status = status ? status : tracing_launch(&tracing);
	status = status ? status : tracing_load(&tracing);
	status = status ? status : tracing_attach(&tracing);
	if (write(streams->said[1], status ? "-" : "+", 1) != 1 || read(streams->go[0], &go, 1) != 1)
		status = 99;
	status = tracing_close(&tracing, status ? status : STATUS_FAILED);
	link_keeper_stop();
	return status;
}

static pid_t start_tracing(const struct streams *streams)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	dup2(streams->in[0], STDIN_FILENO);
	dup2(streams->out[1], STDOUT_FILENO);
	close(streams->in[1]);
	_exit(trace_and_fail(streams));
}

static pid_t read_pid(int fd)
{
	char line[32] = "";
	size_t length = 0;

	while (length + 1 < sizeof(line) && read(fd, line + length, 1) == 1 && line[length] != '\n')
		length++;
	assert_true(atoi(line) > 0);
	return atoi(line);
}

static void await_no_probe(pid_t pid)
{
	uint64_t until_ns = deadline_ns();

	while (code_changes(pid, "libc.so.6"))
		if (now_ns() > until_ns)
			fail_msg("probes remain in COMMAND");
}

static void test_tracing_that_fails_leaves_no_probe_in_its_command(void **state)
{
	struct scene *scene = *state;
	struct streams streams;
	char said = 0;
	pid_t command;

	assert_true(!pipe(streams.in) && !pipe(streams.out) && !pipe(streams.go) && !pipe(streams.said));
	scene->target.pid = start_tracing(&streams);
	close(streams.in[0]);
	close(streams.out[1]);
	assert_int_equal(read(streams.said[0], &said, 1), 1);
	assert_int_equal(said, '+');
	command = read_pid(streams.out[0]);
	assert_true(code_changes(command, "libc.so.6") > 0);
	assert_int_equal(write(streams.go[1], "g", 1), 1);
	await_no_probe(command);
	close(streams.in[1]);
	assert_true(child_reap(&scene->target));
	assert_int_equal(child_exit_status(scene->target.status), STATUS_COMMAND_FAILED);
	close(streams.out[0]);
	close(streams.go[0]);
	close(streams.go[1]);
	close(streams.said[0]);
	close(streams.said[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tracing_that_fails_leaves_no_probe_in_its_command, scene_setup,
						scene_teardown),
	};

	return cmocka_run_group_tests_name("tracing", tests, NULL, NULL);
}
