/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/translator.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/stream.h"
#include "base/text.h"
#include "system/address_map.h"
#include "system/mapped_by.h"
#include "system/pid_list.h"
#include "system/proc_maps.h"
#include "system/procfs.h"

#define VALGRIND  "valgrind"
#define QEMU	  "qemu-user"
#define PIN	  "Pin"
#define DYNAMORIO "DynamoRIO"
#define FRIDA	  "Frida"

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && !strcmp(text + length - tail, end);
}

const char *translator_named(const char *path)
{
	const char *name = text_base_name(path);

	/* The launcher, and the tools (memcheck-amd64-linux), which are static programs that map their client. */
	if (!strcmp(name, "valgrind") || !strcmp(name, "valgrind.bin") || ends_with(name, "-amd64-linux"))
		return VALGRIND;
	/* qemu-x86_64, -static or under the name of a binary format. qemu-system-x86_64 is a whole machine. */
	if (strstr(name, "qemu-x86_64") || !strncmp(name, "x86_64-binfmt", strlen("x86_64-binfmt")))
		return QEMU;
	if (!strcmp(name, "pin") || !strcmp(name, "pinbin"))
		return PIN;
	return !strcmp(name, "drrun") ? DYNAMORIO : NULL;
}

/* Files that a translator brings into its client. */
static const char *mapping_names(const char *path)
{
	const char *name = text_base_name(path);

	if (!strncmp(name, "vgpreload_", strlen("vgpreload_")))
		return VALGRIND;
	if (!strncmp(name, "libdynamorio.so", strlen("libdynamorio.so")))
		return DYNAMORIO;
	return !strncmp(name, "frida-agent", strlen("frida-agent")) ? FRIDA : NULL;
}

static int look_at(struct mapping *mapping, void *arg)
{
	const char **found = arg;

	*found = mapping_names(mapping->path);
	return *found != NULL;
}

/* A process that has gone, is the kernel's or may not be looked at runs under none that heaptap could harm knowingly. */
static bool is_unseen(int err)
{
	return err == -ESRCH || err == -ENOENT || err == -EACCES || err == -EPERM;
}

int translator_of(pid_t pid, const char **ret_name)
{
	char *exe = procfs_exe(pid);
	int err = exe ? 0 : -errno;

	*ret_name = exe ? translator_named(exe) : NULL;
	if (exe && !*ret_name)
		err = proc_maps_for_each(pid, look_at, ret_name);
	free(exe);
	return err > 0 || is_unseen(err) ? 0 : err;
}

int translator_executed(pid_t pid, const char *exe, const char **ret_name)
{
	if (!exe)
		return translator_of(pid, ret_name);
	*ret_name = translator_named(exe);
	return 0;
}

int translator_list(struct pid_list *ret_list)
{
	unsigned int kept = 0;
	int err = pid_list_all(ret_list);

	for (unsigned int i = 0; i < ret_list->count && !err; i++) {
		const char *name;

		err = translator_of(ret_list->pids[i], &name);
		if (name)
			ret_list->pids[kept++] = ret_list->pids[i];
	}
	ret_list->count = kept;
	if (err)
		pid_list_release(ret_list);
	return err;
}

/* A line of maps: is it of that file? As mapped_by.h has it, overlays show one inode under several devices. */
static bool is_of(const char *line, const struct mapped_by_file *file)
{
	unsigned int device_major, device_minor;
	unsigned long inode;
	int path = 0;

	if (sscanf(line, "%*s %*s %*s %x:%x %lu %n", &device_major, &device_minor, &inode, &path) < 3 ||
	    inode != file->inode)
		return false;
	if (makedev(device_major, device_minor) == file->device)
		return true;
	return !device_major && !major(file->device) && file->path && !strcmp(line + path, file->path);
}

static int search(FILE *maps, const struct mapped_by_file *file)
{
	char *line = NULL;
	bool found = false;
	size_t size = 0;
	ssize_t length;
	int err;

	while (!found && (length = getline(&line, &size, maps)) > 0) {
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		found = is_of(line, file);
	}
	err = found ? 0 : stream_read_failure(maps);
	free(line);
	return err ? err : found;
}

int translator_maps(pid_t pid, const struct mapped_by_file *file)
{
	char path[PATH_MAX];
	FILE *maps = fopen(text_path(path, "/proc/%d/maps", pid), "re");
	int found = maps ? search(maps, file) : -errno;

	if (maps)
		fclose(maps);
	return is_unseen(found) ? 0 : found;
}
