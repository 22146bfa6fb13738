/* SPDX-License-Identifier: GPL-2.0-or-later */
/* heaptap serve and Prometheus: promtool accepts the metrics, the server discovers and scrapes them, whatever the target does. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <poll.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "e2e/kit/pprof_client.h"
#include "e2e/kit/served.h"

static void test_serve_metrics_pass_promtool(void **state)
{
	struct scene *scene = *state;
	const char *url = served_start(scene, beside("target_steps"));

	served_steps(scene, "kk");
	assert_int_equal(
		system(format("curl -s --noproxy '*' %s/metrics > '%s/metrics' && '%s' check metrics < '%s/metrics'",
			      url, scene->dir, beside("servers/usr/bin/promtool"), scene->dir)),
		0);
	served_finish(scene);
}

static void test_serve_prometheus_discovers_and_scrapes(void **state)
{
	struct scene *scene = *state;
	const char *url = served_start(scene, beside("target_steps"));
	unsigned int port;
	FILE *config = fopen(format("%s/prometheus.yml", scene->dir), "we");

	assert_non_null(config);
	fprintf(config,
		"global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs:\n"
		"- job_name: all\n  static_configs: [{targets: ['%s']}]\n"
		"- job_name: each\n  http_sd_configs: [{url: '%s/sd', refresh_interval: 1s}]\n",
		url + strlen("http://"), url);
	fclose(config);
	served_steps(scene, "kk");
	port = served_prometheus(scene);
	http_await(
		scene,
		format("-G --data-urlencode 'query=heaptap_allocated_bytes_total{job=\"each\",pid=\"%d\",comm=\"target_steps\"}' "
		       "http://127.0.0.1:%u/api/v1/query",
		       scene->target.pid, port),
		"\"2000\"");
	http_await(scene,
		   format("-G --data-urlencode 'query=heaptap_allocated_bytes_total{job=\"all\"}' "
			  "http://127.0.0.1:%u/api/v1/query",
			  port),
		   "\"2000\"");
	served_finish(scene);
}

/* The ring is filled faster than it is emptied: by a target that never rests, on as many processors as most machines have. */
static const char *serve_flood(struct scene *scene)
{
	const char *url;

	target_start(&scene->target, NULL, (const char *const[]){beside("target_churn"), "-w", "-t", "4", NULL});
	target_ready(&scene->target);
	url = http_serve(scene, (const char *const[]){"serve", "-R", "1", "--listen", "127.0.0.1:0", "-p",
						      format("%d", scene->target.pid), NULL});
	/* The draining thread alone, which had made itself the first of all: it has a fiftieth of a processor then. */
	assert_int_equal(setpriority(PRIO_PROCESS, (id_t)scene->session.child.pid, 14), 0);
	target_go(&scene->target);
	return url;
}

/* Answers do not wait for a moment at which the ring is empty: once events have piled up, there is none. */
static void test_serve_metrics_come_while_events_pile_up(void **state)
{
	struct scene *scene = *state;
	const char *url = serve_flood(scene);
	char metrics[128];

	snprintf(metrics, sizeof(metrics), "-m %d %s/metrics", DEADLINE_MS / 1000, url);
	for (int i = 0; i < 4; i++)
		assert_int_equal(http_status(scene, metrics), 200);
}

#define CHILDREN      60 /* more than heaptap keeps when they have ended */
#define CHILD_OBJECTS 31 /* see targets/offspring.h */

static void breed(const struct scene *scene, const char *line)
{
	char answer[8] = "";
	struct pollfd poll_fd = {.fd = scene->target.out, .events = POLLIN};

	assert_int_equal(write(scene->target.in, line, strlen(line)), strlen(line));
	assert_int_equal(poll(&poll_fd, 1, DEADLINE_MS), 1);
	assert_true(read(scene->target.out, answer, sizeof(answer) - 1) > 0);
	assert_string_equal(answer, "done\n");
}

static unsigned long objects_of_brood(const struct scene *scene, const char *url)
{
	struct http_response response;
	unsigned long objects;
	const char *line;

	http_fetch(scene, format("%s/metrics", url), &response);
	line = strstr(response.body, "\nheaptap_allocated_objects_total{");
	line = line ? strstr(line, "comm=\"target_brood\"} ") : NULL;
	assert_non_null(line);
	objects = strtoul(strchr(line, ' '), NULL, 10);
	http_release(&response);
	return objects;
}

/* A counter that falls would be taken for one that began anew. */
static void test_serve_metrics_count_children_that_are_gone(void **state)
{
	struct scene *scene = *state;
	unsigned long before;
	const char *url;

	target_start(&scene->target, NULL, (const char *const[]){beside("target_brood"), "-", NULL});
	url = http_serve(scene, (const char *const[]){"serve", "--follow", "-R", "1", "--listen", "127.0.0.1:0", "-p",
						      format("%d", scene->target.pid), NULL});
	breed(scene, format("fork 1 %d\n", CHILDREN));
	before = objects_of_brood(scene, url);
	assert_true(before >= CHILDREN * CHILD_OBJECTS);
	breed(scene, format("fork %d %d\n", CHILDREN + 1, CHILDREN));
	assert_int_equal(objects_of_brood(scene, url), before + CHILDREN * CHILD_OBJECTS);
	served_finish(scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_serve_metrics_pass_promtool),
		TEST(test_serve_metrics_count_children_that_are_gone),
		TEST(test_serve_prometheus_discovers_and_scrapes),
		TEST(test_serve_metrics_come_while_events_pile_up),
	};

	return cmocka_run_group_tests_name("serve_metrics", tests, NULL, NULL);
}
