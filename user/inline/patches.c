/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/patches.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf.h"
#include "inline/exceptions.h"
#include "inline/fast_path.h"
#include "inline/landing.h"
#include "inline/patch_entries.h"
#include "inline/stack_arguments.h"
#include "probe/plan.h"

#define FUNCTION_BYTES_MAX 65536
#define FUNCTION_BYTES	   256 /* looked at where a symbol has no size */
#define LINE_BYTES	   64  /* of the cache, with which a path begins */

struct patching {
	const struct patch_scene *scene;
	struct patches *patches;
	u64 used;				   /* bytes of the paths so far */
	struct branch_range taken[2 * RANGES_MAX]; /* what is overwritten, but for a function's first byte */
	u32 taken_by[2 * RANGES_MAX];		   /* number of the function */
	u32 taken_count;
	struct stack_arguments *stack_arguments; /* NULL: nobody has asked yet */
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

	for (int i = 0; i < SAMPLER_ENTRIES; i++) {
		parts.entries[i] = scene->image + scene->sampler->entries[i];
		parts.kept_entries[i] = scene->image + scene->sampler->kept_entries[i];
	}
	return parts;
}

/* That others may put a function of their own in the place of what it exports. */
static bool is_library(const struct program_headers *headers)
{
	return headers->file.e_type == ET_DYN && !headers->file.e_entry && !program_headers_find(headers, PT_INTERP);
}

/*
 * A compiler that sees a function and its caller lets the caller keep values in registers that the function leaves alone (GCC's
 * -fipa-ra, from -O2 on). Nobody keeps values over a call that may end in another file's code, or over one of an allocator of a
 * known family, which is compiled apart from its callers and calls the system.
 */
static bool keeps_registers(const struct patch_scene *scene, const struct plan_probe *probe)
{
	return probe->pool || (scene->plan->unknown && !is_library(scene->headers));
}

#define MAY_THROW "may throw, and no exception could pass the sampler"

/* What an exception passes cannot be called by code that no table of frames has. NULL, or why not. */
static const char *find_nothrow(const struct patch_scene *scene, const struct plan_probe *probe, u64 *ret_address)
{
	if (scene->has_frames || probe->kind < CALL_NEW)
		return NULL;
	if (!probe->nothrow || elf_offset_to_vaddr(scene->elf, probe->nothrow, ret_address))
		return MAY_THROW;
	return NULL;
}

static bool is_free(const struct patching *patching, u64 landing)
{
	for (u32 i = 0; i < patching->patches->count; i++)
		if (patching->patches->landing[i].size && patching->patches->landing[i].offset == landing)
			return false;
	return true;
}

/* Padding near it, in bytes from the function's first; 0: there is none. */
static u32 find_landing(const struct patching *patching, u64 offset, const struct moved_code *moved)
{
	u8 code[LANDING_BEHIND];
	ssize_t size = elf_read(patching->scene->elf, offset + moved->skip, code, sizeof(code));
	u32 found = size > 0 ? landing_find(code, (size_t)size) : 0;

	return found && is_free(patching, offset + moved->skip + found) ? moved->skip + found : 0;
}

/* Tried one after the other. */
static const enum moved_code_jump other_ways[] = {
	MOVED_CODE_THIRD,
	MOVED_CODE_RELAYED_PAST_NULL,
	MOVED_CODE_RELAYED,
};

/* In a process that runs, another heaptap may set its probes while the jumps are there. */
static const char *try_path(const struct patching *patching, const struct plan_probe *probe,
			    const struct fast_path_function *function, struct fast_path *path, u32 *ret_landing)
{
	const struct fast_path_sampler parts = sampler_parts(patching->scene);
	const char *refusal = fast_path_make(function, &parts, patching->scene->address + patching->used, path);

	*ret_landing = 0;
	if (refusal || function->jump == MOVED_CODE_FIRST)
		return refusal;
	if (!moved_code_bears_breakpoint(&path->moved, (u32)probe->site.offset))
		return "has its probe where the jump would be";
	if (path->moved.relayed)
		*ret_landing = find_landing(patching, probe->offset - probe->site.offset, &path->moved);
	return path->moved.relayed && !*ret_landing ? "has no room for a jump" : NULL;
}

/* NULL, or why the first way is none. The landing is 0 where none is needed. */
static const char *make_path(const struct patching *patching, const struct plan_probe *probe,
			     struct fast_path_function *function, struct fast_path *path, u32 *ret_landing)
{
	const char *refusal = try_path(patching, probe, function, path, ret_landing);

	if (!refusal || function->jump == MOVED_CODE_FIRST)
		return refusal;
	for (size_t i = 0; i < sizeof(other_ways) / sizeof(*other_ways); i++) {
		bool ends = probe->kind == CALL_FREE && probe->argument[0] == 1;

		function->jump = other_ways[i];
		if (other_ways[i] == MOVED_CODE_RELAYED_PAST_NULL && !ends)
			continue;
		if (!try_path(patching, probe, function, path, ret_landing))
			return NULL;
	}
	return refusal;
}

static void take(struct patching *patching, u32 number, u64 start, u64 end)
{
	patching->taken_by[patching->taken_count] = number;
	patching->taken[patching->taken_count++] = (struct branch_range){.start = start, .end = end};
}

/* False: it is too far. */
static bool put_landing(struct patching *patching, u32 number, const struct fast_path *path, u64 address, u32 landing)
{
	struct patch *patch = &patching->patches->landing[number];
	const struct moved_code jump = {.skip = landing, .taken = LANDING_BYTES};

	*patch = (struct patch){.offset = landing, .size = LANDING_BYTES};
	take(patching, number, address + landing, address + landing + LANDING_BYTES);
	moved_code_patch_short(&path->moved, landing, patching->patches->patch[number].bytes);
	return moved_code_patch(&jump, address, path->entry, patch->bytes);
}

static bool put_jump(struct patching *patching, u32 number, const struct fast_path *path, u64 address, u32 landing)
{
	struct patch *patch = &patching->patches->patch[number];

	patch->offset = path->moved.skip;
	patch->size = path->moved.taken;
	take(patching, number, address + moved_code_first_taken(&path->moved),
	     address + path->moved.skip + path->moved.taken);
	return landing ? put_landing(patching, number, path, address, landing)
		       : moved_code_patch(&path->moved, address, path->entry, patch->bytes);
}

/* NULL, or why not. */
static const char *make_patch(struct patching *patching, u32 number, struct fast_path_function *function)
{
	const struct patch_scene *scene = patching->scene;
	struct fast_path path;
	u32 landing;
	const char *refusal = make_path(patching, &scene->plan->probes[number], function, &path, &landing);

	if (refusal)
		return refusal;
	if (!put_jump(patching, number, &path, function->address, landing))
		return "is too far away";
	memcpy(scene->bytes + patching->used, path.bytes, path.size);
	patching->patches->moved[number] = path.moved;
	patching->patches->paths[number] = (struct framed_path){
		.function = function->address,
		.start = path.entry,
		.end = scene->address + patching->used + path.size,
		.original = path.original,
		.moved = &patching->patches->moved[number],
		.depth_count = path.depth_count,
	};
	memcpy(patching->patches->paths[number].depths, path.depths, sizeof(path.depths));
	patching->used += (path.size + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
	return NULL;
}

/* One that throws would leave the object that it should have resized in its hands. */
static int check_exceptions(const struct patch_scene *scene, const struct plan_probe *probe, const char **ret_refusal)
{
	int possible = 0;

	if (!scene->has_frames || probe->kind == CALL_RESIZE)
		possible = exceptions_possible(scene->elf);
	if (possible > 0)
		*ret_refusal = scene->has_frames ? "may throw instead of resizing" : MAY_THROW;
	return possible < 0 ? possible : 0;
}

static int check_stack(struct patching *patching, u64 offset, u64 size, const char **ret_refusal)
{
	int err = 0;

	if (!patching->stack_arguments)
		err = stack_arguments_new(patching->scene->elf, &patching->stack_arguments);
	if (!err && stack_arguments_may_have(patching->stack_arguments, offset, size))
		*ret_refusal = "may look at what its caller has on the stack";
	return err;
}

/* What a user's description does not say. The functions of allocators that are known have few arguments, and only new throws. */
static int check_pool(struct patching *patching, const struct plan_probe *probe, u64 size, const char **ret_refusal)
{
	int err;

	if (!probe->pool || probe->kind == CALL_FREE)
		return 0;
	err = check_exceptions(patching->scene, probe, ret_refusal);
	return err || *ret_refusal ? err : check_stack(patching, probe->offset - probe->site.offset, size, ret_refusal);
}

static int patch_function(struct patching *patching, u32 number)
{
	const struct patch_scene *scene = patching->scene;
	const struct plan_probe *probe = &scene->plan->probes[number];
	struct fast_path_function function = {
		.kind = probe->kind,
		.jump = scene->jump,
		.keeps = keeps_registers(scene, probe),
	};
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
	refusal = find_nothrow(scene, probe, &function.nothrow);
	if (!refusal)
		err = check_pool(patching, probe, function.size, &refusal);
	if (!err && !refusal)
		refusal = make_patch(patching, number, &function);
	patching->patches->patch[number].offset += offset;
	patching->patches->landing[number].offset += offset;
	free(code);
	return refusal ? refuse(patching, number, refusal) : err;
}

/* --- who else enters --- */

static int check_entries(struct patching *patching)
{
	const struct patch_surroundings surroundings = {
		.elf = patching->scene->elf,
		.headers = patching->scene->headers,
		.patches = patching->patches,
		.taken = patching->taken,
		.taken_by = patching->taken_by,
		.taken_count = patching->taken_count,
	};
	int number, err = patch_entries_find(&surroundings, &number);

	if (err == -E2BIG) {
		snprintf(patching->reason, patching->reason_size, "it has more code than can be searched for jumps");
		return 0;
	}
	if (!err && number >= 0)
		refuse(patching, (u32)number, "may be entered behind its first instruction");
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

	memset(ret_patches, 0, sizeof(*ret_patches));
	ret_patches->count = scene->plan->probe_count;
	for (u32 i = 0; i < scene->plan->probe_count && !err && !is_refused(&patching); i++)
		err = patch_function(&patching, i);
	stack_arguments_free(patching.stack_arguments);
	return err || is_refused(&patching) ? err : check_entries(&patching);
}
