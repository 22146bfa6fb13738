/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record --inline --follow, and --inline -p: servers of Debian's, with their processes, answer all requests and end as they should, and
 * each sample of theirs is taken inside.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/kit/code.h"
#include "e2e/kit/ledger.h"
#include "e2e/kit/server.h"
#include "e2e/kit/session.h"

static char output[PATH_MAX];

/* heaptap, to be put in front of a server. */
static const char *const *wrapper(const struct scene *scene)
{
	static const char *words[12];
	unsigned int count = 0;

	snprintf(output, sizeof(output), "%.2000s/out", scene->dir);
	words[count++] = heaptap_path();
	words[count++] = "record";
	words[count++] = "-q";
	words[count++] = "-o";
	words[count++] = output;
	words[count++] = "-R";
	words[count++] = "4096";
	words[count++] = "--inline";
	words[count++] = "--follow";
	words[count++] = "--";
	words[count] = NULL;
	return words;
}

static void run(const char *command)
{
	int status = system(command);

	if (status)
		fail_msg("%s: status %d", command, status);
}

/* All balance, and what the named ones had sampled was sampled inside. */
static void assert_inline(const char *comm, double least)
{
	cJSON *index = json_read(format("%s/index.json", output));
	double sampled = 0, inlined = 0;
	const cJSON *process;

	cJSON_ArrayForEach (process, cJSON_GetObjectItem(index, "processes")) {
		ledger_assert_balanced(process);
		assert_int_equal(index_number(process, "ledger.free_unseen"), 0);
		if (strncmp(cJSON_GetObjectItem(process, "comm")->valuestring, comm, 15) != 0)
			continue;
		sampled += (double)index_number(process, "ledger.sampled");
		inlined += (double)index_number(process, "ledger.inline");
	}
	if (inlined < least || inlined < sampled)
		fail_msg("%s: %.0f samples, %.0f inside", comm, sampled, inlined);
	cJSON_Delete(index);
}

/* A forked child writes out what there is, while its parent goes on. */
static void test_inline_redis_saves_in_the_background(void **state)
{
	struct scene *scene = *state;
	const char *client = format("redis-cli -s %s/redis.socket", scene->dir);

	server_start_redis(scene, &scene->target, wrapper(scene));
	server_load_redis(scene);
	run(format("%s bgsave >/dev/null", client));
	server_load_redis(scene);
	run(format("until %s info persistence | grep -q rdb_bgsave_in_progress:0; do sleep 0.05; done;"
		   "%s info persistence | grep -q rdb_last_bgsave_status:ok && %s shutdown nosave",
		   client, client, client));
	assert_int_equal(target_finish(&scene->target), 0);
	run(format("redis-check-rdb %s/dump.rdb | grep -q 'RDB looks OK'", scene->dir));
	assert_inline("redis-server", 1000);
}

/* Its allocator is jemalloc. */
static void test_injected_redis_answers(void **state)
{
	struct scene *scene = *state;
	pid_t pid;

	server_start_redis(scene, &scene->target, NULL);
	pid = scene->target.pid;
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "4096", "--inline", "-p", format("%d", pid), NULL});
	session_attached(&scene->session);
	snprintf(output, sizeof(output), "%s", scene->session.output);
	server_load_redis(scene);
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_false(session_said(&scene->session, "keeps probes"));
	assert_int_equal(code_changes(pid, "/libjemalloc"), 0);
	assert_int_equal(code_changes(pid, "/libc.so.6"), 0);
	server_load_redis(scene);
	run(format("redis-cli -s %s/redis.socket shutdown nosave", scene->dir));
	assert_int_equal(target_finish(&scene->target), 0);
	assert_inline("redis-server", 1000);
}

static void test_inline_nginx_answers(void **state)
{
	struct scene *scene = *state;

	server_start_nginx(scene, &scene->target, wrapper(scene));
	server_load_nginx(scene);
	run(format("kill -QUIT $(cat %s/nginx.pid)", scene->dir));
	assert_int_equal(target_finish(&scene->target), 0);
	assert_inline("nginx", 1000);
}

static void test_inline_postgres_answers(void **state)
{
	struct scene *scene = *state;

	server_start_postgres(scene, &scene->target, wrapper(scene));
	server_load_postgres(scene);
	run(format("kill -INT $(head -n 1 %s/data/postmaster.pid)", scene->dir));
	assert_int_equal(target_finish(&scene->target), 0);
	assert_inline("postgres", 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_inline_redis_saves_in_the_background),
		TEST(test_injected_redis_answers),
		TEST(test_inline_nginx_answers),
		TEST(test_inline_postgres_answers),
	};

	return cmocka_run_group_tests_name("inline_servers", tests, NULL, NULL);
}
