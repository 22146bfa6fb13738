/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: any bytes as the state files of container runtimes, one behind the other, with a zero between them: of docker, podman,
 * containerd, its PIDs, and the list of users. What is then known of containers must be fit for a path and a terminal.
 */
#include <stdlib.h>
#include <string.h>

#include "scratch.h"
#include "system/container_list.h"
#include "system/container_log.h"
#include "system/container_runtimes.h"

#define TASKS "run/containerd/io.containerd.runtime.v2.task/default/task/"

static const char *const files[] = {
	"var/lib/docker/containers/docker/config.v2.json",
	"var/lib/containers/storage/overlay-containers/containers.json",
	TASKS "config.json",
	TASKS "init.pid",
	"etc/passwd",
	"home/bob/.local/share/containers/storage/vfs-containers/containers.json",
	"home/bob/.local/share/docker/containers/other/config.v2.json",
};

static void check_text(const char *text)
{
	for (; text && *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			abort();
}

static void check(struct container_list *list)
{
	struct container_entry *entry, *next;

	HASH_ITER (hh, list->entries, entry, next) {
		if (!entry->id || !*entry->id || entry->pid < 0 || container_list_find(list, entry->id) != entry)
			abort();
		check_text(container_list_name(entry));
		check_text(entry->id);
		check_text(entry->name);
		check_text(entry->pod);
		check_text(entry->part);
	}
}

/* The last one, which is the name of a log as well. */
static void read_log(const u8 *data, size_t size)
{
	struct container_log log;
	char name[256] = "";

	memcpy(name, data, size < sizeof(name) ? size : sizeof(name) - 1);
	if (container_log_parse(name, &log) <= 0)
		return;
	if (!log.pod || !log.space || !log.part || !log.id)
		abort();
	free(log.text);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct container_list list = {0};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		const u8 *end = size ? memchr(data, 0, size) : NULL;
		size_t length = end ? (size_t)(end - data) : size;

		scratch_write(files[i], data, length);
		data += end ? length + 1 : length;
		size -= end ? length + 1 : length;
	}
	read_log(data, size);
	container_runtimes_load(scratch(), &list);
	check(&list);
	container_list_release(&list);
	return 0;
}
