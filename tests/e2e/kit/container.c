/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real containers under test. runc, since crun refuses hosts with both cgroup hierarchies; with limits of its own, since
 * podman's are higher than a nested root may set.
 */
#include "container.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/shims/truth_log.h"

#define PREFIX "heaptap-e2e-"
#define PODMAN "podman --runtime runc --log-level error"
#define LIMITS "--network=none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024"

static const char *const kinds[] = {"glibc", "musl"};

/* The first line that the command prints; its exit status. */
static int shell(const char *command, char *ret_line, size_t size)
{
	FILE *pipe = popen(command, "re");
	char *text = NULL;
	size_t room = 0;
	int status;

	if (!pipe)
		return -1;
	if (getdelim(&text, &room, '\0', pipe) < 0 && text)
		*text = '\0';
	status = pclose(pipe);
	if (ret_line)
		snprintf(ret_line, size, "%.*s", text ? (int)strcspn(text, "\n") : 0, text ? text : "");
	free(text);
	return child_exit_status(status);
}

static void podman(const char *command, char *ret_line, size_t size)
{
	int status = shell(format("%s %s", PODMAN, command), ret_line, size);

	if (status)
		fail_msg("podman %s: status %d", command, status);
}

static bool runs(const char *name)
{
	pid_t pid = (pid_t)strtol(name + strlen(PREFIX), NULL, 10);

	return pid > 0 && (!kill(pid, 0) || errno != ESRCH);
}

/* Containers and images of test programs that are no more. */
static void sweep(const char *list, const char *remove)
{
	FILE *pipe = popen(list, "re");
	char line[256];

	while (pipe && fgets(line, sizeof(line), pipe)) {
		char *name = strstr(line, PREFIX);

		line[strcspn(line, "\n")] = '\0';
		if (name && !runs(name))
			shell(format("%s %s %s >/dev/null 2>&1", PODMAN, remove, name), NULL, 0);
	}
	if (pipe)
		pclose(pipe);
}

int images_setup(void **state)
{
	(void)state;
	sweep(PODMAN " ps -a --format '{{.Names}}'", "rm -f -t 0");
	sweep(PODMAN " images --format '{{.Repository}}'", "rmi -f");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const char *tar = beside(format("image_%s.tar", kinds[i]));

		if (shell(format("%s import -q %s " PREFIX "%d-%s >/dev/null", PODMAN, tar, getpid(), kinds[i]), NULL,
			  0)) {
			fprintf(stderr, "podman cannot import %s\n", tar);
			return -1;
		}
	}
	return 0;
}

int images_teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		shell(format("%s rmi -f " PREFIX "%d-%s >/dev/null 2>&1", PODMAN, getpid(), kinds[i]), NULL, 0);
	return 0;
}

int harbour_setup(void **state)
{
	struct harbour *harbour = calloc(1, sizeof(*harbour));
	void *scene;

	if (!harbour || scene_setup(&scene)) {
		free(harbour);
		return -1;
	}
	harbour->scene = scene;
	*state = harbour;
	return 0;
}

int harbour_teardown(void **state)
{
	struct harbour *harbour = *state;
	void *scene = harbour->scene;
	int error;

	for (unsigned int i = 0; i < harbour->count; i++)
		container_remove(&harbour->containers[i]);
	error = scene_teardown(&scene);
	free(harbour);
	return error;
}

static void greet(const struct container *container, const char *program)
{
	if (strcmp(program, "target_outside"))
		dialogue_order(&container->dialogue, "fork 0 0");
	else
		dialogue_pair_ns(&container->dialogue);
}

static struct container *add(struct harbour *harbour)
{
	static unsigned int made;
	struct container *container = &harbour->containers[harbour->count];
	const char *dir;

	assert_true(harbour->count < CONTAINERS_MAX);
	snprintf(container->name, sizeof(container->name), PREFIX "%d-%u", getpid(), made++);
	dir = format("%s/%s", harbour->scene->dir, container->name);
	snprintf(container->dir, sizeof(container->dir), "%s", dir);
	dialogue_open(&container->dialogue, container->dir);
	harbour->count++;
	return container;
}

struct container *container_run(struct harbour *harbour, const char *image, const char *program, bool shim)
{
	struct container *container = add(harbour);

	podman(format("run -d --name %s %s -v %s:/shared %s %s " PREFIX "%d-%s /%s /shared", container->name, LIMITS,
		      container->dir, shim ? "-e LD_PRELOAD=/shim.so" : "",
		      shim ? "-e " TRUTH_VARIABLE "=/shared/truth" : "", getpid(), image, program),
	       container->id, sizeof(container->id));
	greet(container, program);
	return container;
}

struct container *container_fill(struct harbour *harbour, const char *image, const char *memory, struct child *target)
{
	struct container *container = add(harbour);
	/* Where the program stands that waits for the container's end, it leaves a file "oom". */
	const char *command = format("cd '%s' && exec %s run -i --name %s %s --memory %s --memory-swap %s " PREFIX
				     "%d-%s /target_filler",
				     container->dir, PODMAN, container->name, LIMITS, memory, memory, getpid(), image);

	target_start(target, NULL, (const char *const[]){"/bin/sh", "-c", command, NULL});
	target_ready(target);
	return container;
}

void container_restart(struct container *container)
{
	podman(format("restart -t 0 %s", container->name), NULL, 0);
	greet(container, "target_brood");
}

int container_exec(const struct container *container, const char *const *argv)
{
	const char *command = format("%s exec %s", PODMAN, container->name);

	for (; *argv; argv++)
		command = format("%s '%s'", command, *argv);
	return shell(command, NULL, 0);
}

void container_remove(struct container *container)
{
	if (!*container->name)
		return;
	shell(format("%s rm -f -t 0 %s >/dev/null 2>&1", PODMAN, container->name), NULL, 0);
	dialogue_close(&container->dialogue);
	*container->name = '\0';
}

pid_t container_pid(const struct container *container)
{
	char pid[32];

	podman(format("inspect -f '{{.State.Pid}}' %s", container->name), pid, sizeof(pid));
	return (pid_t)atoi(pid);
}

const char *container_cgroup(const struct container *container)
{
	char path[PATH_MAX / 2];

	podman(format("inspect -f '{{.State.CgroupPath}}' %s", container->name), path, sizeof(path));
	return format("%s", path);
}

const char *container_truth(const struct container *container)
{
	return format("%s/truth", container->dir);
}
