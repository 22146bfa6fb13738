/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What docs/contrib has for many machines: heaptap in a container of its own sends profiles of another container to a store, the capabilities of
 * the unit are enough, and Prometheus takes its configuration. systemd and a cluster are not run: the files are checked.
 */
#include <ctype.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/container.h"
#include "e2e/kit/root.h"
#include "e2e/kit/served.h"
#include "e2e/kit/strict_store.h"

#define CONTRIB SOURCE_DIR "/docs/contrib/"

/* The command ends with status 0; what it prints is the failure's message. */
static void run(const char *command)
{
	FILE *pipe = popen(format("{ %s; } 2>&1", command), "re");
	char *said = NULL;
	size_t room = 0;

	assert_non_null(pipe);
	if (getdelim(&said, &room, '\0', pipe) < 0 && said)
		*said = '\0';
	if (pclose(pipe))
		fail_msg("%s: %s", command, said);
	free(said);
}

/* --- a container --- */

#define PODMAN "podman --runtime runc --log-level error"

static const char *image(void)
{
	return format("heaptap-e2e-%d-heaptap", getpid());
}

/* As the Containerfile does it, but of this heaptap and without a base. */
static int image_setup(void **state)
{
	char root[] = "/tmp/heaptap-image-XXXXXX";
	int status;

	if (images_setup(state) || !mkdtemp(root))
		return -1;
	status = system(format("'" CONTRIB "image_root.sh' '%s' %s && tar -C %s -c . | " PODMAN
			       " import -q --change 'ENTRYPOINT [\"/usr/sbin/heaptap\"]' - %s >/dev/null",
			       heaptap_path(), root, root, image()));
	return system(format("rm -rf %s", root)) || status ? -1 : 0;
}

static int image_teardown(void **state)
{
	return system(format(PODMAN " rmi -f %s >/dev/null 2>&1", image())) || images_teardown(state) ? -1 : 0;
}

static int teardown(void **state)
{
	int gone = system(format(PODMAN " rm -i -f -t 0 %s >/dev/null 2>&1", image()));

	return harbour_teardown(state) || gone ? -1 : 0;
}

/* As README.md has it; limits as the tests' other containers have them. */
static void push_from_container(struct harbour *harbour, const char *name, const char *address)
{
	static const char run_it[] =
		"shift; exec " PODMAN " run --rm --name \"$0\" --privileged --pid host --cgroupns host --network host "
		"--http-proxy=false --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "
		"-v /sys/fs/cgroup:/sys/fs/cgroup:ro -v /var/lib/containers:/var/lib/containers:ro "
		"-v /run/containers:/run/containers:ro \"$0\" \"$@\"";
	struct session *session = &harbour->scene->session;

	session->wrapper = (const char *const[]){"/bin/sh", "-c", run_it, image(), NULL};
	session_start_bare(session, (const char *const[]){"push", "-R", "1", "--every", "0.2", "--container", name,
							  "--to", format("pyroscope+http://%s", address), NULL});
	session_await(session, "pushing to");
}

/* What target_brood does by "self 0 1" is 31 objects; see targets/offspring.h. */
static void test_contrib_container_pushes_another_one(void **state)
{
	struct harbour *harbour = *state;
	struct container *container = container_run(harbour, "glibc", "target_brood", false);
	const char *address = store_start(harbour->scene);
	char *labels;

	push_from_container(harbour, container->name, address);
	dialogue_order(&container->dialogue, "self 0 1");
	store_await(harbour->scene, address, "alloc_objects", 31);
	store_await(harbour->scene, address, "inuse_objects", 11);
	session_signal(&harbour->scene->session, SIGTERM);
	assert_int_equal(session_finish(&harbour->scene->session), 0);
	store_assert_content(harbour->scene, address);
	labels = store_page(harbour->scene, address, "labels");
	assert_words(labels, format("\"service_name\": \"%s\"", container->name));
	assert_words(labels, format("\"container_id\": \"%s\"", container->id));
	free(labels);
}

/* --- systemd --- */

/* What the unit says behind NAME=, until the next call. */
static const char *setting(const char *unit, const char *name)
{
	static char line[1024];
	FILE *file = fopen(format(CONTRIB "%s", unit), "re");
	bool found = false;

	assert_non_null(file);
	while (!found && fgets(line, sizeof(line), file))
		found = !strncmp(line, name, strlen(name)) && line[strlen(name)] == '=';
	fclose(file);
	if (!found)
		fail_msg("%s has no %s=", unit, name);
	line[strcspn(line, "\n")] = '\0';
	return line + strlen(name) + 1;
}

/* "CAP_BPF CAP_PERFMON" as setpriv has it, "-all,+bpf,+perfmon". */
static const char *capability_sets(const char *names)
{
	static char sets[1024] = "-all";

	strcpy(sets, "-all");
	for (char *save, *name = strtok_r(strdupa(names), " ", &save); name; name = strtok_r(NULL, " ", &save)) {
		size_t length = strlen(sets);

		assert_memory_equal(name, "CAP_", 4);
		snprintf(sets + length, sizeof(sets) - length, ",+%s", name + 4);
		for (; sets[length]; length++)
			sets[length] = (char)tolower(sets[length]);
	}
	return sets;
}

/* Neither is root, the target and who traces it; the unit's user is one of no name. */
static void test_contrib_unit_has_the_capabilities_it_needs(void **state)
{
	struct harbour *harbour = *state;
	struct scene *scene = harbour->scene;
	const char *sets = capability_sets(setting("heaptap-push.service", "CapabilityBoundingSet"));
	const char *address = store_start(scene);

	target_start(&scene->target, NULL,
		     (const char *const[]){"/usr/bin/setpriv", "--reuid=1", "--regid=1", "--clear-groups",
					   beside("target_steps"), NULL});
	target_ready(&scene->target);
	scene->session.wrapper = (const char *const[]){"/usr/bin/setpriv",
						       "--reuid=65534",
						       "--regid=65534",
						       "--clear-groups",
						       "--no-new-privs",
						       "--inh-caps",
						       sets,
						       "--ambient-caps",
						       sets,
						       "--bounding-set",
						       sets,
						       NULL};
	session_start_bare(&scene->session,
			   (const char *const[]){"push", "--all", "--exe", beside("target_steps"), "-R", "1", "--every",
						 "0.2", "--to", format("pyroscope+http://%s", address), NULL});
	session_await(&scene->session, "pushing to");
	target_go(&scene->target);
	served_steps(scene, "kkkf");
	store_await(scene, address, "inuse_space", 2 * BLOCK);
	served_finish(scene);
	store_assert_content(scene, address);
}

/* systemd knows every setting; 30: its measure of what a unit exposes, of 100, where one that says nothing has 96. */
static void test_contrib_units_are_systemds(void **state)
{
	static const char *const units[] = {"heaptap-push.service", "heaptap-serve.service"};
	const struct harbour *harbour = *state;

	for (size_t i = 0; i < 2; i++) {
		const char *unit = format("%s/%s", harbour->scene->dir, units[i]);

		run(format("sed 's|/usr/local/sbin/heaptap|%s|' '" CONTRIB "%s' >'%s' && "
			   "! systemd-analyze verify --man=no '%s' 2>&1 | grep heaptap && "
			   "systemd-analyze security --offline=true --threshold=30 '%s'",
			   heaptap_path(), units[i], unit, unit, unit));
	}
}

/* --- what others read --- */

static void test_contrib_yaml_is_such(void **state)
{
	(void)state;
	run("ruby -ryaml -e '"
	    "space, set = YAML.load_stream(File.read(ARGV[0]));"
	    "abort unless space[\"kind\"] == \"Namespace\" && set[\"kind\"] == \"DaemonSet\" &&"
	    " set[\"metadata\"][\"namespace\"] == space[\"metadata\"][\"name\"] &&"
	    " set[\"spec\"][\"selector\"][\"matchLabels\"] == set[\"spec\"][\"template\"][\"metadata\"][\"labels\"];"
	    "pod = set[\"spec\"][\"template\"][\"spec\"];"
	    "unit = File.read(ARGV[1])[/^CapabilityBoundingSet=(.*)/, 1].gsub(\"CAP_\", \"\").split;"
	    "abort unless pod[\"hostPID\"] &&"
	    " pod[\"containers\"][0][\"securityContext\"][\"capabilities\"][\"add\"].sort == unit.sort &&"
	    " pod[\"containers\"][0][\"volumeMounts\"].map { |x| x[\"name\"] } == pod[\"volumes\"].map { |x| x[\"name\"] };"
	    "abort unless YAML.load_file(ARGV[2])[\"scrape_configs\"][0][\"profiling_config\"][\"pprof_config\"].size == 5' "
	    "'" CONTRIB "daemonset.yaml' '" CONTRIB "heaptap-push.service' '" CONTRIB "parca.yaml'");
}

/* The shipped file, but for the port, the token's place and the interval. */
static void configure_prometheus(const struct scene *scene, const char *url)
{
	run(format(
		"cd '%s' && sed -e 's|127.0.0.1:7979|%s|' -e 's|/etc/heaptap/token|%s/token|' -e 's|: 15s|: 200ms|' '" CONTRIB
		"prometheus.yml' >prometheus.yml && '%s' check config prometheus.yml",
		scene->dir, url + strlen("http://"), scene->dir, beside("servers/usr/bin/promtool")));
}

static void test_contrib_prometheus_scrapes(void **state)
{
	struct scene *scene = ((struct harbour *)*state)->scene;
	const char *token = format("%s/token", scene->dir), *url;
	unsigned int port;

	run(format("umask 077 && echo 0123456789abcdef >'%s'", token));
	target_start(&scene->target, NULL, (const char *const[]){beside("target_steps"), NULL});
	target_ready(&scene->target);
	url = http_serve(scene, (const char *const[]){"serve", "-R", "1", "--listen", "127.0.0.1:0", "--token-file",
						      token, "-p", format("%d", scene->target.pid), NULL});
	target_go(&scene->target);
	served_steps(scene, "kk");
	configure_prometheus(scene, url);
	port = served_prometheus(scene);
	http_await(scene,
		   format("-G --data-urlencode 'query=heaptap_allocated_bytes_total{job=\"heaptap\"}' "
			  "http://127.0.0.1:%u/api/v1/query",
			  port),
		   "\"2000\"");
	served_finish(scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, harbour_setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_contrib_container_pushes_another_one), TEST(test_contrib_unit_has_the_capabilities_it_needs),
		TEST(test_contrib_units_are_systemds),		 TEST(test_contrib_yaml_is_such),
		TEST(test_contrib_prometheus_scrapes),
	};

	(void)argc;
	root_own(argv);
	return cmocka_run_group_tests_name("contrib", tests, image_setup, image_teardown);
}
