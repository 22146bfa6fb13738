/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/running_sampler.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inline/process_image.h"
#include "inline/sampler_image.h"
#include "inline/sampler_mapping.h"
#include "system/address_map.h"
#include "system/pid_list.h"
#include "system/proc_maps.h"
#include "system/process_memory.h"
#include "system/shortage.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U /* Linux 6.3; and yet it may be mapped to be executed */
#endif

#define SEARCHES 2

/* The sampler of one file of one process on its way. */
struct loading {
	struct running_sampler *sampler;
	struct process_image image;
	const struct sampler_settings *settings;
	int memory; /* of the program that the process ran when this began */
};

static int refuse(struct running_sampler *sampler, const char *reason)
{
	snprintf(sampler->reason, sizeof(sampler->reason), "%s", reason);
	return 0;
}

/* Why the process could not be had; true if it could not. */
static bool refuse_for(struct running_sampler *sampler, int err)
{
	sampler->err = err;
	if (err)
		refuse(sampler, injection_refusal(err));
	return err;
}

/* Until one fails, or there is a reason not to go on. */
static int do_steps(struct loading *loading, int (*const *steps)(struct loading *loading), size_t count)
{
	int err = 0;

	for (size_t i = 0; i < count && !err && !*loading->sampler->reason; i++)
		err = steps[i](loading);
	return err;
}

/* --- memory ------------------------------------------------------------------------------------------------------------ */

static int make_file(struct loading *loading)
{
	int file = memfd_create(SAMPLER_MAPPING_FILE, MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (file < 0 && errno == EINVAL)
		file = memfd_create(SAMPLER_MAPPING_FILE, MFD_CLOEXEC);
	if (file < 0)
		return -errno;
	loading->sampler->file = file;
	/* What it says counts for all that map it: nobody but us may write to it. */
	if (fchmod(file, S_IRUSR | S_IWUSR) || ftruncate(file, (off_t)loading->image.bytes))
		return -errno;
	return sampler_mapping_lock(file);
}

static int map(struct loading *loading)
{
	struct running_sampler *sampler = loading->sampler;
	struct injection_image image = {
		.bytes = loading->image.bytes,
		.data_bytes = process_image_data_bytes(loading->settings),
		.wiped_bytes = SAMPLER_SLOTS * sizeof(struct sampler_slot),
		.near = loading->image.near,
		.near_end = loading->image.near_end,
	};
	char path[32];
	int err;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", sampler->file);
	image.file = open(path, O_RDONLY | O_CLOEXEC);
	if (image.file < 0)
		return -errno;
	err = injection_map(sampler->pid, &image, &sampler->address, &sampler->one_stopped_ns);
	close(image.file);
	refuse_for(sampler, err);
	return 0;
}

/* --- contents ---------------------------------------------------------------------------------------------------------- */

static int fill(struct loading *loading)
{
	const struct sampler_header *header = sampler_image_header();
	struct running_sampler *sampler = loading->sampler;

	sampler->config = loading->image.paths_bytes + header->config;
	for (int i = 0; i < SAMPLER_SITES; i++)
		sampler->sites[i] = loading->image.paths_bytes + header->sites[i];
	return process_image_fill(&loading->image, sampler->address, sampler->reason);
}

static int write_contents(struct loading *loading)
{
	ssize_t written = pwrite(loading->sampler->file, loading->image.contents, loading->image.bytes, 0);

	return written == (ssize_t)loading->image.bytes ? 0 : written < 0 ? -errno : -EIO;
}

/* `at`: from the file's first byte. Nothing is written into a program that does not have the sampler. */
static int write_data(struct loading *loading, u64 at, const void *bytes, size_t size)
{
	struct running_sampler *sampler = loading->sampler;
	u64 magic = 0, place = sampler->address + loading->image.paths_bytes;
	ssize_t written = 0;

	if (pread(loading->memory, &magic, sizeof(magic), (off_t)place) == sizeof(magic) && magic == SAMPLER_MAGIC)
		written = pwrite(loading->memory, bytes, size, (off_t)(sampler->address + at));
	refuse_for(sampler, written == (ssize_t)size ? 0 : written < 0 ? -errno : -ENOEXEC);
	return 0;
}

/* The sampler need not ask the kernel itself, which a thread of the process may be forbidden to do. */
static const struct sampler_state prepared = {.prepared = 1};

static int set_prepared(struct loading *loading)
{
	return write_data(loading, loading->image.paths_bytes + sampler_image_header()->state, &prepared,
			  sizeof(prepared));
}

/* --- what an earlier heaptap left --------------------------------------------------------------------------------------- */

/* Is the file what would be put at its place now, but for what the config tells of the recording? The size of its table stays. */
static bool is_same(const struct loading *loading, int file)
{
	struct sampler_config *config = (struct sampler_config *)(loading->image.contents + loading->sampler->config);
	u8 *found = malloc(loading->image.bytes);
	bool same = found && pread(file, found, loading->image.bytes, 0) == (ssize_t)loading->image.bytes;

	if (same) {
		struct sampler_config *old = (struct sampler_config *)(found + loading->sampler->config);

		if (old->table_bits <= SAMPLER_TABLE_BITS_MAX)
			config->table_bits = old->table_bits;
		old->sample_bytes = config->sample_bytes;
		old->session = config->session;
		same = !memcmp(found, loading->image.contents, loading->image.bytes);
	}
	free(found);
	return same;
}

/* Where nothing leads to the sampler, as in a child of a process that has, or had it, another one can be brought in. 1 if that is refused. */
static int refuse_used(struct loading *loading, const char *reason)
{
	struct running_sampler *sampler = loading->sampler;
	int err = process_image_jumps(&loading->image, &sampler->patches, &sampler->patch_count);
	bool leads_there = err || injection_compare(sampler->pid, sampler->patches, sampler->patch_count);

	free(sampler->patches);
	sampler->patches = NULL;
	if (leads_there)
		refuse(sampler, reason);
	return err ? err : leads_there;
}

/* The jumps to it would be in the way of those to another. */
static int refuse_unopened(struct loading *loading, int open_err)
{
	int err = fill(loading);

	*loading->sampler->reason = '\0';
	return err ? err : refuse_used(loading, sampler_mapping_denied(open_err));
}

/* 1: it is ours now, or another heaptap's; 0: it is nothing that is known; negative errno. */
static int take_over(struct loading *loading, int file)
{
	struct running_sampler *sampler = loading->sampler;
	int err = fill(loading);

	/* What cannot be at that place is not ours. */
	*sampler->reason = '\0';
	if (err)
		return err;
	if (!is_same(loading, file))
		return 0;
	err = sampler_mapping_lock(file);
	if (err)
		return err == -EBUSY ? refuse_used(loading, SAMPLER_MAPPING_HELD) : err;
	sampler->file = file;
	sampler->adopted = true;
	return 1;
}

static int adopt(struct mapping *mapping, void *arg)
{
	struct loading *loading = arg;
	int file, found;

	if (mapping->end - mapping->start != loading->image.bytes)
		return 0;
	file = sampler_mapping_open(loading->sampler->pid, mapping);
	if (file < 0 && !sampler_mapping_denied(file))
		return file == -ENOENT ? 0 : file;
	loading->sampler->address = mapping->start;
	found = file < 0 ? refuse_unopened(loading, file) : take_over(loading, file);
	if (file >= 0 && (found != 1 || *loading->sampler->reason))
		close(file);
	return found;
}

/* *ret_found: in how many. 0, or for want of what one could not be looked at; one that may not be, as another user's, is passed over. */
static int undo_in_those(const struct running_sampler *sampler, const struct pid_list *pids, unsigned int *ret_found)
{
	int err = 0;

	*ret_found = 0;
	for (unsigned int i = 0; i < pids->count; i++) {
		int has = pids->pids[i] == sampler->pid ? 0 : sampler_mapping_has(pids->pids[i], sampler->file);

		if (shortage_is(has))
			err = has;
		if (has != 1)
			continue;
		injection_undo(pids->pids[i], sampler->patches, sampler->patch_count, NULL);
		++*ret_found;
	}
	return err;
}

/*
 * Children that were forked since have the jumps too. What cannot be undone in one runs on, and samples nothing. One may fork while they are
 * looked for. 0, or for want of what they could not all be looked for.
 */
static int undo_in_children(const struct running_sampler *sampler)
{
	unsigned int found = 1;
	int err = 0;

	for (int i = 0; i < SEARCHES && found; i++) {
		struct pid_list all;

		err = pid_list_all(&all);
		if (err)
			return err;
		err = undo_in_those(sampler, &all, &found);
		pid_list_release(&all);
	}
	return err;
}

/* Pages that nobody has touched are left so: they would count as the process's memory. */
static int clear_page(struct loading *loading, u64 at)
{
	static const u8 zeros[SAMPLER_PAGE];
	u8 page[SAMPLER_PAGE];
	ssize_t size = pread(loading->memory, page, sizeof(page), (off_t)(loading->sampler->address + at));

	if (size == sizeof(page) && !memcmp(page, zeros, sizeof(page)))
		return 0;
	return write_data(loading, at, zeros, sizeof(zeros));
}

static int clear_data(struct loading *loading)
{
	const struct sampler_header *header = sampler_image_header();
	const struct sampler_config *config =
		(const struct sampler_config *)(loading->image.contents + loading->sampler->config);
	const u64 bytes = header->table - header->slots + (sizeof(u64) << config->table_bits);
	int err = 0;

	for (u64 at = 0; at < bytes && !err && !*loading->sampler->reason; at += SAMPLER_PAGE)
		err = clear_page(loading, loading->image.paths_bytes + header->slots + at);
	return err;
}

/* As if it had been loaded now: nothing leads to it, no slot has a count, and no object is known. */
static int start_anew(struct loading *loading)
{
	struct running_sampler *sampler = loading->sampler;
	int (*const steps[])(struct loading * loading) = {clear_data, set_prepared, write_contents};
	int err = injection_undo(sampler->pid, sampler->patches, sampler->patch_count, &sampler->all_stopped_ns);

	if (refuse_for(sampler, err))
		return 0;
	if (undo_in_children(sampler))
		return refuse(sampler,
			      "not all of its children can be looked at, which may have an earlier heaptap's sampler");
	return do_steps(loading, steps, sizeof(steps) / sizeof(*steps));
}

/* --- the whole --------------------------------------------------------------------------------------------------------- */

static int load(struct loading *loading)
{
	int (*const steps[])(struct loading * loading) = {make_file, map, fill, write_contents, set_prepared};

	return do_steps(loading, steps, sizeof(steps) / sizeof(*steps));
}

/* What an earlier heaptap left there, or new. */
static int load_or_adopt(struct loading *loading)
{
	struct running_sampler *sampler = loading->sampler;
	int err = proc_maps_for_each(sampler->pid, adopt, loading);

	if (err < 0)
		return err == -ESRCH ? refuse(sampler, injection_refusal(err)) : err;
	err = sampler->file >= 0 || *sampler->reason ? 0 : load(loading);
	if (!err && !*sampler->reason)
		err = process_image_jumps(&loading->image, &sampler->patches, &sampler->patch_count);
	return err || *sampler->reason || !sampler->adopted ? err : start_anew(loading);
}

int running_sampler_load(pid_t pid, const struct mapping *mapping, struct elf *elf, const struct plan *plan,
			 const struct sampler_settings *settings, struct running_sampler *ret_sampler)
{
	struct loading *loading = calloc(1, sizeof(*loading));
	int err = 0;

	*ret_sampler = (struct running_sampler){.pid = pid, .file = -1};
	if (!loading)
		return -ENOMEM;
	loading->sampler = ret_sampler;
	loading->settings = settings;
	loading->image = (struct process_image){.elf = elf, .plan = plan, .settings = settings};
	loading->memory = process_memory_open(pid, O_RDWR);
	if (loading->memory < 0)
		refuse_for(ret_sampler, loading->memory);
	else
		err = process_image_begin(&loading->image, mapping, ret_sampler->reason);
	if (!err && !*ret_sampler->reason)
		err = load_or_adopt(loading);
	process_image_release(&loading->image);
	if (loading->memory >= 0)
		close(loading->memory);
	free(loading);
	return err == -EBADMSG ? refuse(ret_sampler, "its headers contradict each other or its contents") : err;
}

bool running_sampler_start(struct running_sampler *sampler)
{
	int err = injection_patch(sampler->pid, sampler->patches, sampler->patch_count, NULL, &sampler->all_stopped_ns);

	*sampler->reason = '\0';
	return !refuse_for(sampler, err);
}

/* The process may have executed another program, or its number may be another one's by now. */
int running_sampler_leave(const struct running_sampler *sampler, pid_t pid)
{
	int found = sampler_mapping_has(pid, sampler->file);

	return found <= 0 ? found : injection_undo(pid, sampler->patches, sampler->patch_count, NULL);
}

int running_sampler_stop(struct running_sampler *sampler)
{
	const u64 never = 0;
	int err, children_err;

	if (pwrite(sampler->file, &never, sizeof(never),
		   (off_t)(sampler->config + offsetof(struct sampler_config, sample_bytes))) != sizeof(never))
		return -EIO;
	err = running_sampler_leave(sampler, sampler->pid);
	if (err && err != -EILSEQ && err != -ESRCH)
		return err;
	children_err = undo_in_children(sampler);
	return children_err ? children_err : err == -ESRCH ? 0 : err;
}

void running_sampler_release(struct running_sampler *sampler)
{
	if (sampler->file >= 0)
		close(sampler->file);
	free(sampler->patches);
	*sampler = (struct running_sampler){.file = -1};
}
