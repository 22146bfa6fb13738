/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/settle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "heap/go_objects.h"
#include "heap/go_profile.h"
#include "heap/memory_notes.h"
#include "system/cgroup.h"
#include "system/container.h"
#include "system/container_path.h"
#include "system/cgroup_mounts.h"
#include "system/cgroup_limit.h"
#include "system/address_map.h"
#include "system/procfs.h"
#include "system/shortage.h"
#include "system/smaps.h"
#include "trace/bpf_maps.h"
#include "trace/bpf_object.h"

/* Whose a process is changes when it begins, if at all. */
#define USER_YOUNG_NS 10000000000ULL
#define USER_NS	      60000000000ULL

static bool is_kernels(const char *path)
{
	return !strcmp(path, "[vdso]") || !strcmp(path, "[vsyscall]") || !strcmp(path, "[uprobes]");
}

/* In no file, or in one that exists in memory only. */
static bool runs_made_code(const struct address_map *mappings)
{
	for (u32 i = 0; i < address_map_count(mappings); i++) {
		const struct mapping *mapping = address_map_get(mappings, i);

		if (!mapping->elf && !is_kernels(mapping->path))
			return true;
	}
	return false;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* The program of an image that began with an exec we saw: the kernel maps it before anything else. */
static char *first_file(const struct address_map *mappings)
{
	const struct mapping *oldest = NULL;

	for (unsigned int i = 0; i < address_map_count(mappings); i++) {
		const struct mapping *mapping = address_map_get(mappings, i);

		if (mapping->from_ns && mapping->path[0] == '/' && (!oldest || mapping->from_ns < oldest->from_ns))
			oldest = mapping;
	}
	return copy(oldest ? oldest->path : NULL);
}

static void find_container(const struct settle_sources *sources, struct image *image)
{
	char id[CONTAINER_ID_SIZE];
	const char *runtime;

	if (!image->cgroup || !container_path_find(image->cgroup, id, &runtime))
		return;
	free(image->container_id);
	free(image->container_name);
	image->container_id = strdup(id);
	image->container_name =
		copy(sources->containers ? container_names_find(sources->containers, id, image->cgroup) : NULL);
}

/* Its cgroup, its container, and where its memory is limited. */
static void find_group(const struct settle_sources *sources, struct image *image, const struct image *origin)
{
	char *lines = cgroup_mounts_lines(sources->mounts ? sources->mounts->root : "", (pid_t)image->pid);

	image->cgroup = lines ? cgroup_mounts_group_in(lines, NULL) : NULL;
	if (!image->cgroup && origin)
		image->cgroup = copy(origin->cgroup);
	/* A process of a recorded group was in it, or below. */
	if (!image->cgroup)
		image->cgroup = copy(sources->group);
	find_container(sources, image);
	if (sources->mounts && lines)
		cgroup_mounts_memory_in(sources->mounts, lines, &image->memory_directory, &image->memory_path);
	free(lines);
}

void settle_facts(const struct settle_sources *sources, struct cgroup_limit *limit, struct image *image,
		  const struct image *origin, bool forked)
{
	pid_t pid = (pid_t)image->pid;
	char comm[16];

	if (!image->comm[0] && !procfs_comm(pid, comm))
		image_set_comm(image, comm);
	/*
	 * Asking /proc may be too late: by now another program may have been exec'd. Nor does the oldest mapping tell a
	 * forked one's, if its parent's program was there before heaptap.
	 */
	image->exe = origin && forked ? copy(origin->exe) : first_file(image->mappings);
	if (!image->exe)
		image->exe = procfs_exe(pid);
	find_group(sources, image, origin);
	if (image->memory_directory)
		cgroup_limit_read(limit, image->memory_directory, image->memory_path, clock_now_ns(),
				  &image->memory_limit, &image->memory_used);
	root_fs_close(&image->root);
	root_fs_open(pid, &image->root);
	root_fs_look(&image->root);
	image->user_seen_ns = image->start_ns;
	image_begin_rss(image, procfs_rss_bytes(pid));
}

static void look_at_user(struct image *image, u64 now_ns)
{
	bool due = image->user_seen_ns < image->start_ns + USER_YOUNG_NS || now_ns >= image->user_seen_ns + USER_NS;

	if (!due || !runs_made_code(image->mappings))
		return;
	root_fs_look(&image->root);
	image->user_seen_ns = now_ns;
}

void settle_look(struct image *image, u64 now_ns)
{
	look_at_user(image, now_ns);
	image_see_rss(image, procfs_rss_bytes((pid_t)image->pid));
}

struct unsent_death {
	struct kernel *kernel;
	struct image *image;
};

/* False: it is not there. Its event may have come after all, when the address was handed out again. */
static bool book_death_in(const struct unsent_death *death, struct heap *heap, u64 id)
{
	struct heap_object *object;

	HASH_FIND(hh, heap->objects, &id, sizeof(id), object);
	if (!object)
		return false;
	if (death->image->ended)
		kernel_forget_object(death->kernel, death->image->number, object->addr);
	heap_free(heap, id);
	return true;
}

/* Only for this image: another's object may be in a realloc that is yet to fail. */
static void book_death(void *arg, u32 number, u64 id)
{
	const struct unsent_death *death = arg;
	struct image *image = death->image;

	if (number == image->number && !book_death_in(death, &image->heap, id) && go_objects_heap(image))
		book_death_in(death, go_objects_heap(image), id);
}

/* What is known without the kernel's counters: what was sampled and came here. */
static void book_without_tally(struct image *image, int err)
{
	log_error("pid %u: its counters cannot be read: %s; what was lost of its samples is not known", image->pid,
		  shortage_explain(err).text);
	if (image->ledger[COUNTER_SAMPLED] < image->heap.alloc_count)
		image->ledger[COUNTER_SAMPLED] = image->heap.alloc_count;
}

static void settle(struct kernel *kernel, struct image *image)
{
	struct unsent_death death = {kernel, image};

	int err = kernel_take_tally(kernel, image->number, image->ledger);

	if (err)
		book_without_tally(image, err);
	if (image->ledger[COUNTER_FREE_DEFERRED])
		kernel_for_each_unsent(kernel, book_death, &death);
}

/* Are there sampled calls without a sequel? Their threads died in them. */
static bool is_waited_for(const struct image *image)
{
	const u64 *ledger = image->ledger;

	return ledger[COUNTER_SAMPLED] > image->heap.alloc_count + ledger[COUNTER_FAILED] + ledger[COUNTER_LOST_RING] +
						 ledger[COUNTER_LOST_STASH] + ledger[COUNTER_RETURN_MISSED];
}

/* Without memory they stay: the map then has less room for others. */
static void forget_stacks(struct kernel *kernel, const struct stack_table *stacks)
{
	u64 *hashes = malloc((HASH_COUNT(stacks->stacks) + 1) * sizeof(*hashes));
	u32 count = 0;

	for (const struct stack *stack = hashes ? stacks->stacks : NULL; stack; stack = stack->hh.next)
		hashes[count++] = stack->hash;
	kernel_forget_stacks(kernel, hashes, count);
	free(hashes);
}

static void forget_objects(struct kernel *kernel, const struct image *image, const struct heap *heap)
{
	for (const struct heap_object *object = heap ? heap->objects : NULL; object; object = object->hh.next)
		kernel_forget_object(kernel, image->number, object->addr);
}

void settle_end(struct kernel *kernel, struct image *image)
{
	if (image->settled)
		return;
	image->settled = true;
	settle(kernel, image);
	forget_objects(kernel, image, &image->heap);
	forget_objects(kernel, image, go_objects_heap(image));
	forget_stacks(kernel, &image->stacks);
	if (is_waited_for(image))
		image->ledger[COUNTER_RETURN_MISSED] += kernel_take_pending(kernel, image->number);
	kernel_give_process(kernel, image->number);
}

void settle_end_without_event(struct kernel *kernel, struct recorder *recorder, struct image *image, u64 now_ns)
{
	if (!image || image->ended)
		return;
	recorder_end(recorder, image, now_ns);
	settle_end(kernel, image);
}

/* Most processes of a population have no sample, and nothing is written of their heaps. */
static void read_memory(const struct recorder *recorder, struct image *image)
{
	bool written = image->heap.alloc_count || go_reading_has_profile(image->go);
	int smaps = written ? smaps_open((pid_t)image->pid) : -ENODATA;
	struct memory_notes *notes = smaps < 0 ? NULL : memory_notes_of(recorder_options(recorder), image, smaps);

	if (notes)
		memory_read(notes);
}

void settle_stop(struct kernel *kernel, const struct recorder *recorder, struct image *image, u64 now_ns)
{
	settle(kernel, image);
	settle_look(image, now_ns);
	read_memory(recorder, image);
	if (image->memory_directory)
		cgroup_memory(image->memory_directory, image->memory_path, &image->memory_limit, &image->memory_used);
	image->end_ns = now_ns;
	image->cpu_end_ns = procfs_cpu_ns((pid_t)image->pid);
}

static void book_pending(void *arg, u32 number)
{
	struct image *image = recorder_find(arg, number);

	if (image)
		image->ledger[image->ended ? COUNTER_RETURN_MISSED : COUNTER_IN_FLIGHT]++;
}

void settle_pending(struct kernel *kernel, struct recorder *recorder)
{
	kernel_for_each_pending(kernel, book_pending, recorder);
}

static void book_cut(void *arg, u32 number)
{
	struct image *image = recorder_find(arg, number);

	if (image)
		image->ledger[COUNTER_RETURN_MISSED]++;
}

int settle_cut(struct kernel *kernel, struct recorder *recorder)
{
	return kernel_drop_pending(kernel, book_cut, recorder);
}
