/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ends of tracing that take a client of the test's own: when one cannot begin, COMMAND goes on without probes; and when one takes long to hand
 * profiles on, Ctrl-C ends that.
 */
#include <fcntl.h>
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
#include "format/output_file.h"
#include "record/record.h"
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

	while (code_changes(pid, "libc.so.6")) {
		if (now_ns() > until_ns)
			fail_msg("probes remain in COMMAND");
		usleep(1000);
	}
}

static void test_tracing_that_fails_leaves_no_probe_in_its_command(void **state)
{
	struct scene *scene = *state;
	struct streams streams;
	char said = 0;
	pid_t command;

	assert_true(!pipe(streams.in) && !pipe(streams.out) && !pipe2(streams.go, O_CLOEXEC));
	assert_true(!pipe2(streams.said, O_CLOEXEC)); /* not COMMAND's */
	scene->target.pid = start_tracing(&streams);
	close(streams.in[0]);
	close(streams.out[1]);
	close(streams.go[0]);
	close(streams.said[1]); /* a tracer that has died says nothing more */
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
	close(streams.go[1]);
	close(streams.said[0]);
}

/* --- an audience that never finishes --- */

static int say_begun(void *arg)
{
	return write(*(const int *)arg, "b", 1) == 1 ? STATUS_DONE : STATUS_FAILED;
}

static void ignore_profile(const struct profile *profile, u32 process, bool last, void *arg)
{
	(void)profile, (void)process, (void)last, (void)arg;
}

static void ignore_moment(u64 taken_ns, void *arg)
{
	(void)taken_ns, (void)arg;
}

static int hand_on_for_ever(void *arg)
{
	(void)arg;
	while (pause() < 0)
		;
	return STATUS_FAILED;
}

static _Noreturn void record_for_ever(const struct scene *scene, int begun)
{
	const struct audience audience = {say_begun, ignore_profile, ignore_moment, hand_on_for_ever, &begun};
	pid_t pid = scene->target.pid;
	char *argv[] = {NULL};
	const struct record_options options = {
		.tracing = {.target = {.pids = &pid, .pid_count = 1}, .sample_bytes = 1, .gc = {.gogc_percent = 100}},
		.output = format("%s/profiles", scene->dir),
		.formats = FORMAT_PPROF,
		.quiet = true,
		.mode = 0600,
		.argv = argv,
		.audience = &audience,
	};

	inheritance_change();
	libbpf_log_take();
	_exit(record_run(&options));
}

static void start_recording(struct scene *scene, struct child *recording)
{
	int begun[2], said[2];
	char word = 0;

	assert_true(!pipe(begun) && !pipe(said));
	recording->pid = fork();
	assert_true(recording->pid >= 0);
	if (!recording->pid) {
		dup2(said[1], STDERR_FILENO);
		record_for_ever(scene, begun[1]);
	}
	close(said[1]);
	close(begun[1]);
	recording->out = said[0];
	assert_int_equal(read(begun[0], &word, 1), 1);
	close(begun[0]);
}

/* The files are complete by then: what is said, and what Ctrl-C does, holds until everything has been handed on. */
static void test_tracing_ctrl_c_ends_an_audience_that_takes_long(void **state)
{
	struct scene *scene = *state;
	struct child *recording = &scene->more[0];

	target_start(&scene->target, NULL, (const char *const[]){beside("target_steps"), NULL});
	target_ready(&scene->target);
	start_recording(scene, recording);
	assert_int_equal(kill(recording->pid, SIGINT), 0);
	target_await_words(recording, "and pushing them; press Ctrl-C again to drop them");
	assert_int_equal(kill(recording->pid, SIGINT), 0);
	target_await_words(recording, "or not pushed, are lost");
	assert_true(child_reap(recording));
	assert_int_equal(child_exit_status(recording->status), 128 + SIGINT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tracing_that_fails_leaves_no_probe_in_its_command, scene_setup,
						scene_teardown),
		cmocka_unit_test_setup_teardown(test_tracing_ctrl_c_ends_an_audience_that_takes_long, scene_setup,
						scene_teardown),
	};

	return cmocka_run_group_tests_name("tracing", tests, NULL, NULL);
}
