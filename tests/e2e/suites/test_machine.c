/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real programs, hundreds of short ones and servers with many processes, by --all and by their group:
 * a profile for each, nothing lost, and pprof reads every file and the merged one.
 *
 * How often a test fails by chance: each kind of process that must have a profile allocates more than 50 times the
 * interval, so that it has no sample with a probability below e^-50.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "e2e/kit/population.h"
#include "e2e/kit/pprof_client.h"
#include "e2e/kit/server.h"
#include "e2e/kit/stage.h"

#define SOURCES 100
#define MERGED	"merged/all.pb.gz"

static void attach(struct scene *scene, const char *const *target)
{
	const char *args[10] = {"-R", "4K", "--keep", "100000"};
	unsigned int count = 4; /* what else the machine runs is not to be merged away */

	for (; *target && count < 9; target++)
		args[count++] = *target;
	session_start(&scene->session, scene, args);
	session_attached(&scene->session);
}

static void detach(struct scene *scene)
{
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
}

/* Books, files, pprof, and nothing lost of so many processes in the stage's group; and heaptap is not among those it traced. */
static void assert_sound(const struct stage *stage, pid_t heaptap, size_t least)
{
	static const char *const measures[] = {"alloc_space", "inuse_objects"};
	const struct scene *scene = stage->scene;
	const struct session *session = &scene->session;
	cJSON *index = session_index(session);
	const cJSON *process;

	cJSON_ArrayForEach (process, cJSON_GetObjectItemCaseSensitive(index, "processes")) {
		assert_int_not_equal(index_number(process, "pid"), heaptap);
	}
	cJSON_Delete(index);
	assert_true(population_assert_clean_in(session, &stage->group) >= least);
	assert_true(population_assert_files(session) > 0);
	population_assert_merged(session, MERGED, NULL);
	for (size_t i = 0; i < sizeof(measures) / sizeof(*measures); i++) {
		uint64_t sum = population_measure(session, measures[i]);
		char *top;

		assert_int_equal(pprof_sum(scene, session->output, measures[i]), sum);
		assert_int_equal(pprof_total(scene, format("%s/" MERGED, session->output), measures[i], &top), sum);
		free(top);
	}
}

/* --- a build -------------------------------------------------------------------------------------------------------- */

static void write_source(const char *dir, unsigned int number)
{
	FILE *file = fopen(format("%s/part%u.c", dir, number), "we");

	assert_non_null(file);
	fprintf(file, "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n");
	for (unsigned int i = 0; i < 5; i++)
		fprintf(file,
			"int part%u_%u(const char *text)\n{\n\tchar *copy = strdup(text);\n\tint sum = 0;\n\n"
			"\tfor (char *at = copy; at && *at; at++)\n\t\tsum = sum * %u + *at;\n\tfree(copy);\n"
			"\treturn sum;\n}\n",
			number, i, number + i + 3);
	if (number == 0)
		fprintf(file, "int main(void)\n{\n\treturn part0_0(\"\");\n}\n");
	fclose(file);
}

static void write_project(const char *dir)
{
	FILE *file = fopen(format("%s/Makefile", dir), "we");

	assert_non_null(file);
	fprintf(file, "program: $(patsubst %%.c,%%.o,$(wildcard *.c))\n\tgcc -o $@ $^ && echo built\n"
		      "%%.o: %%.c\n\t@echo CC $<; gcc -O1 -c -o $@ $<\n");
	fclose(file);
	for (unsigned int i = 0; i < SOURCES; i++)
		write_source(dir, i);
}

/*
 * Until the tables of the compiler's file are there, stacks are sent raw, 16 KiB each, and those of two compilers at once may be more than the
 * ring holds. Nothing is asked of these: they come before the rush, and from outside the group.
 */
static void compile_first(const char *dir)
{
	for (int i = 0; i < 2; i++)
		assert_int_equal(system(format("gcc -S -o '%s/first.s' '%s/part1.c'", dir, dir)), 0);
}

static void test_machine_build_of_hundreds_of_processes_has_a_profile_for_each(void **state)
{
	static const char *const programs[] = {"gcc", "cc1", "as"}, *const once[] = {"collect2", "ld"};
	struct stage *stage = *state;
	struct scene *scene = stage->scene;
	pid_t heaptap;

	write_project(scene->dir);
	attach(scene, (const char *const[]){"--all", NULL});
	heaptap = scene->session.child.pid;
	compile_first(scene->dir);
	stage_start(&scene->target, &stage->group,
		    (const char *const[]){"/usr/bin/make", "-sj2", "-C", scene->dir, "program", NULL});
	/* However long all of it takes on a busy machine: it gets on. */
	target_await_words(&scene->target, "built");
	assert_int_equal(target_finish(&scene->target), 0);
	detach(scene);
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		assert_true(population_count_files(&scene->session, programs[i]) >= SOURCES);
	for (size_t i = 0; i < sizeof(once) / sizeof(*once); i++)
		assert_true(population_count_files(&scene->session, once[i]) >= 1);
	assert_sound(stage, heaptap, SOURCES);
}

/* --- servers -------------------------------------------------------------------------------------------------------- */

static void test_machine_redis_and_nginx_under_load_have_profiles(void **state)
{
	struct stage *stage = *state;
	struct scene *scene = stage->scene;
	pid_t heaptap;

	server_start_redis(scene, &scene->more[0], group_wrapper(&stage->group));
	server_start_nginx(scene, &scene->more[1], group_wrapper(&stage->group));
	attach(scene, (const char *const[]){"--all", NULL});
	heaptap = scene->session.child.pid;
	server_load_redis(scene);
	server_load_nginx(scene);
	detach(scene);
	assert_true(population_count_files(&scene->session, "redis-server") >= 1);
	assert_true(population_count_files(&scene->session, "redis-benchmark") >= 1);
	assert_true(population_count_files(&scene->session, "nginx") >= 1);
	assert_sound(stage, heaptap, 3);
}

static pid_t read_pid(const char *path)
{
	FILE *file = fopen(path, "re");
	pid_t pid = 0;

	if (!file || fscanf(file, "%d", &pid) != 1 || pid <= 0)
		fail_msg("%s: no process", path);
	fclose(file);
	return pid;
}

/*
 * From the beginning on: COMMAND is the master, its workers are forks of it that never exec. In a group for the sake of
 * their end only.
 */
static void test_machine_nginx_as_command_has_profiles_of_its_workers(void **state)
{
	struct stage *stage = *state;
	struct scene *scene = stage->scene;
	const char *const heaptap[] = {heaptap_path(),	      "record",	  "-R", "4K", "-o",
				       scene->session.output, "--follow", "--", NULL};
	const char *wrapper[16];
	unsigned int count = 0;

	snprintf(scene->session.output, sizeof(scene->session.output), "%.2000s/command", scene->dir);
	for (const char *const *word = group_wrapper(&stage->group); *word; word++)
		wrapper[count++] = *word;
	for (const char *const *word = heaptap; *word; word++)
		wrapper[count++] = *word;
	wrapper[count] = NULL;
	server_start_nginx(scene, &scene->target, wrapper);
	server_load_nginx(scene);
	assert_int_equal(kill(read_pid(format("%s/nginx.pid", scene->dir)), SIGTERM), 0);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_true(population_count_files(&scene->session, "nginx") >= 2);
	population_assert_clean(&scene->session);
}

/* Only its group is traced: the tree of processes, those that come with each connection among them. */
static void test_machine_postgres_by_group_has_its_whole_tree(void **state)
{
	struct stage *stage = *state;
	struct scene *scene = stage->scene;
	pid_t heaptap;

	server_start_postgres(scene, &scene->target, group_wrapper(&stage->group));
	attach(scene, (const char *const[]){"--cgroup", stage->group.path, NULL});
	heaptap = scene->session.child.pid;
	server_load_postgres(scene);
	detach(scene);
	assert_true(population_count_files(&scene->session, "postgres") >= 6);
	assert_int_equal(population_count(&scene->session, "pgbench"), 0);
	population_assert_clean(&scene->session);
	assert_sound(stage, heaptap, 6);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_machine_build_of_hundreds_of_processes_has_a_profile_for_each),
		TEST(test_machine_redis_and_nginx_under_load_have_profiles),
		TEST(test_machine_nginx_as_command_has_profiles_of_its_workers),
		TEST(test_machine_postgres_by_group_has_its_whole_tree),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
