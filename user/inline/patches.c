/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/patches.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf.h"
#include "inline/fast_path.h"
#include "probe/plan.h"

#define FUNCTION_BYTES_MAX 65536
#define FUNCTION_BYTES	   256 /* looked at where a symbol has no size */
#define LINE_BYTES	   64  /* of the cache, with which a path begins */

/* Code is read in pieces, which overlap by what a branch has at most. */
#define PIECE_BYTES  (1U << 20)
#define BRANCH_BYTES 6

struct patching {
	const struct patch_scene *scene;
	struct patches *patches;
	u64 used;			      /* bytes of the paths so far */
	struct moved_range taken[RANGES_MAX]; /* of patch i: what is overwritten, but for the first byte */
	char *reason;
	size_t reason_size;
};

static int refuse(struct patching *patching, u32 number, const char *why)
{
	snprintf(patching->reason, patching->reason_size, "its %s %s", patching->scene->plan->probes[number].symbol,
		 why);
	return 0;
}

static bool is_refused(const struct patching *patching)
{
	return patching->reason[0];
}

/* --- one function --- */

static u64 function_size(const struct plan *plan, u64 start)
{
	for (u32 i = 0; i < plan->ranges.count; i++) {
		u64 size = plan->ranges.range[i].end - plan->ranges.range[i].start;

		if (plan->ranges.range[i].start == start && size && size <= FUNCTION_BYTES_MAX)
			return size;
	}
	return FUNCTION_BYTES;
}

size_t patches_room(u32 count)
{
	return (size_t)count * FAST_PATH_MAX;
}

static struct fast_path_sampler sampler_parts(const struct patch_scene *scene)
{
	struct fast_path_sampler parts = {
		.slots = scene->image + scene->sampler->slots,
		.filter = scene->image + scene->sampler->filter,
	};

	for (int i = 0; i < SAMPLER_ENTRIES; i++)
		parts.entries[i] = scene->image + scene->sampler->entries[i];
	return parts;
}

/* NULL, or why not. */
static const char *make_patch(struct patching *patching, u32 number, const struct fast_path_function *function)
{
	const struct patch_scene *scene = patching->scene;
	struct fast_path_sampler parts = sampler_parts(scene);
	struct patch *patch = &patching->patches->patch[number];
	struct fast_path path;
	const char *refusal = fast_path_make(function, &parts, scene->address + patching->used, &path);

	if (refusal)
		return refusal;
	if (!moved_code_patch(&path.moved, function->address, path.entry, patch->bytes))
		return "is too far away";
	memcpy(scene->bytes + patching->used, path.bytes, path.size);
	patching->used += (path.size + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
	patch->size = path.moved.taken;
	patching->taken[number] = (struct moved_range){
		.start = function->address + path.moved.skip + 1,
		.end = function->address + path.moved.skip + path.moved.taken,
	};
	patch->offset = path.moved.skip;
	return NULL;
}

static int patch_function(struct patching *patching, u32 number)
{
	const struct patch_scene *scene = patching->scene;
	const struct plan_probe *probe = &scene->plan->probes[number];
	struct fast_path_function function = {.kind = probe->kind};
	u64 offset = probe->offset - probe->site.offset;
	const char *refusal;
	u8 *code;
	int err;

	if (elf_offset_to_vaddr(scene->elf, offset, &function.address))
		return -EBADMSG;
	memcpy(function.argument, probe->argument, sizeof(function.argument));
	function.size = function_size(scene->plan, offset);
	err = elf_read_bytes(scene->elf, offset, function.size, function.size, &code);
	if (err)
		return err;
	function.code = code;
	refusal = make_patch(patching, number, &function);
	patching->patches->patch[number].offset += offset;
	free(code);
	return refusal ? refuse(patching, number, refusal) : 0;
}

/* --- branches from elsewhere --- */

/* `address`: of the piece's first byte. */
static void check_piece(struct patching *patching, const u8 *piece, size_t size, u64 address)
{
	int number = moved_code_find_branch(piece, size, address, patching->taken, patching->patches->count);

	if (number >= 0)
		refuse(patching, (u32)number, "may be entered behind its first instructions");
}

static int check_segment(struct patching *patching, const Elf64_Phdr *segment, u8 *piece)
{
	for (u64 at = 0; at < segment->p_filesz && !is_refused(patching); at += PIECE_BYTES - BRANCH_BYTES) {
		u64 left = segment->p_filesz - at;
		ssize_t size = elf_read(patching->scene->elf, segment->p_offset + at, piece,
					left < PIECE_BYTES ? left : PIECE_BYTES);

		if (size < 0)
			return (int)size;
		check_piece(patching, piece, (size_t)size, segment->p_vaddr + at);
	}
	return 0;
}

static int check_branches(struct patching *patching)
{
	const struct program_headers *headers = patching->scene->headers;
	u8 *piece = malloc(PIECE_BYTES);
	int err = piece ? 0 : -ENOMEM;

	for (u32 i = 0; i < headers->count && !err; i++)
		if (headers->rows[i].p_type == PT_LOAD && headers->rows[i].p_flags & PF_X)
			err = check_segment(patching, &headers->rows[i], piece);
	free(piece);
	return err;
}

int patches_make(const struct patch_scene *scene, struct patches *ret_patches, char *ret_reason, size_t reason_size)
{
	struct patching patching = {
		.scene = scene,
		.patches = ret_patches,
		.reason = ret_reason,
		.reason_size = reason_size,
	};
	int err = 0;

	for (u32 i = 0; i < scene->plan->probe_count && !err && !is_refused(&patching); i++)
		err = patch_function(&patching, i);
	ret_patches->count = scene->plan->probe_count;
	return err || is_refused(&patching) ? err : check_branches(&patching);
}
