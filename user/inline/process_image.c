/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/process_image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf.h"
#include "inline/sampler_image.h"
#include "probe/plan.h"
#include "system/address_map.h"

static u64 whole_pages(u64 bytes)
{
	return (bytes + SAMPLER_PAGE - 1) / SAMPLER_PAGE * SAMPLER_PAGE;
}

u64 process_image_data_bytes(const struct sampler_settings *settings)
{
	return whole_pages(sampler_config_data_bytes(settings));
}

static int refuse(char ret_reason[SAMPLER_REASON_MAX], const char *reason)
{
	snprintf(ret_reason, SAMPLER_REASON_MAX, "%s", reason);
	return 0;
}

int process_image_begin(struct process_image *image, const struct mapping *mapping, char ret_reason[SAMPLER_REASON_MAX])
{
	const char *ignored;
	u64 address;
	int err;

	sampler_config_check(image->plan, ret_reason);
	if (*ret_reason)
		return 0;
	if (elf_offset_to_vaddr(image->elf, mapping->file_offset, &address))
		return -EBADMSG;
	image->bias = mapping->start - address;
	/* What keeps segments from being added to the file keeps nothing from being added to the process. */
	err = program_headers_read(image->elf, &image->headers, &ignored);
	if (err)
		return err;
	image->near = image->bias + image->headers.base;
	image->near_end = image->bias + image->headers.next;
	image->paths_bytes = whole_pages(patches_room(image->plan->probe_count));
	image->bytes = image->paths_bytes + sampler_image_size();
	image->contents = malloc(image->bytes);
	return image->contents ? 0 : -ENOMEM;
}

static bool crosses_page(u64 offset, u64 size)
{
	return offset % SAMPLER_PAGE + size > SAMPLER_PAGE;
}

/* The memory of a process is written page by page: heaptap may be killed, or the second page not be had, between the halves of a jump. */
static void check_pages(const struct process_image *image, char ret_reason[SAMPLER_REASON_MAX])
{
	for (u32 i = 0; i < image->patches.count && !*ret_reason; i++) {
		const struct patch *patch = &image->patches.patch[i], *landing = &image->patches.landing[i];
		u64 size = landing->size ? MOVED_CODE_SHORT : INJECTION_JUMP;

		if (crosses_page(patch->offset, size) ||
		    (landing->size && crosses_page(landing->offset, INJECTION_JUMP)))
			snprintf(ret_reason, SAMPLER_REASON_MAX,
				 "its %s lies where a jump cannot be written at once: across two pages",
				 image->plan->probes[i].symbol);
	}
}

int process_image_fill(struct process_image *image, u64 address, char ret_reason[SAMPLER_REASON_MAX])
{
	const struct sampler_header *header = sampler_image_header();
	u8 *sampler = image->contents + image->paths_bytes;
	const struct patch_scene scene = {
		.elf = image->elf,
		.headers = &image->headers,
		.plan = image->plan,
		.sampler = header,
		.jump = MOVED_CODE_SECOND,
		.image = address - image->bias + image->paths_bytes,
		.address = address - image->bias,
		.bytes = image->contents,
	};
	int err;

	image->address = address;
	memset(image->contents, 0, image->bytes);
	memcpy(sampler, header, sampler_image_size());
	err = sampler_config_make(image->elf, image->plan, image->settings, scene.image,
				  (struct sampler_config *)(sampler + header->config));
	if (err == -ERANGE)
		return refuse(ret_reason, "it is too large for its code to reach what is added");
	if (!err)
		err = patches_make(&scene, &image->patches, ret_reason, SAMPLER_REASON_MAX);
	if (!err)
		check_pages(image, ret_reason);
	return err;
}

static void put_moves(const struct process_image *image, const struct framed_path *path, struct injection_patch *jump)
{
	const struct moved_place *places = path->moved->places;

	/* Not of the first, which the jump takes the place of, nor of the last, which is behind it. */
	for (u32 i = 1; i + 1 < path->moved->place_count; i++) {
		jump->moves[jump->move_count].from = path->function + image->bias + places[i].from;
		jump->moves[jump->move_count++].to = path->original + image->bias + places[i].to;
	}
}

/* `address` and `entry`: of the file's, the jump's and what it leads to. */
static int make_jump(const struct process_image *image, const struct patch *patch, u64 address, u64 entry,
		     struct injection_patch *ret_jump)
{
	*ret_jump = (struct injection_patch){
		.address = address + image->bias,
		.size = (u8)patch->size,
		.jump_size = INJECTION_JUMP,
	};
	memcpy(ret_jump->becomes, patch->bytes, sizeof(ret_jump->becomes));
	memcpy(ret_jump->witness, image->contents + (entry + image->bias - image->address), sizeof(ret_jump->witness));
	return elf_read(image->elf, patch->offset, ret_jump->was, patch->size) == (ssize_t)patch->size ? 0 : -EBADMSG;
}

/* The landing first, where there is one. */
static int make_jumps(const struct process_image *image, u32 number, struct injection_patch *jumps, u32 *count)
{
	const struct patch *patch = &image->patches.patch[number], *landing = &image->patches.landing[number];
	const struct framed_path *path = &image->patches.paths[number];
	u64 address = path->function + path->moved->skip;
	struct injection_patch *jump;
	int err = 0;

	if (landing->size) {
		err = make_jump(image, landing, address + landing->offset - patch->offset, path->start, &jumps[*count]);
		jumps[(*count)++].landing = true;
	}
	jump = &jumps[*count];
	if (!err)
		err = make_jump(image, patch, address, path->start, jump);
	put_moves(image, path, jump);
	if (landing->size)
		jump->jump_size = MOVED_CODE_SHORT;
	if (!err && elf_offset_to_vaddr(image->elf, image->plan->probes[number].offset, &jump->probe))
		err = -EBADMSG;
	jump->probe += image->bias;
	(*count)++;
	return err;
}

/* Functions that end objects come first: if heaptap is killed between two, no sample is left whose end is not seen. */
int process_image_jumps(const struct process_image *image, struct injection_patch **ret_jumps, u32 *ret_count)
{
	u32 count = image->patches.count;
	int err = 0;

	*ret_count = 0;
	*ret_jumps = calloc(2 * count, sizeof(**ret_jumps));
	if (!*ret_jumps)
		return -ENOMEM;
	for (int ends = 1; ends >= 0; ends--)
		for (u32 i = 0; i < count && !err; i++)
			if ((image->plan->probes[i].kind == CALL_FREE) == ends)
				err = make_jumps(image, i, *ret_jumps, ret_count);
	return err;
}

void process_image_release(struct process_image *image)
{
	program_headers_release(&image->headers);
	free(image->contents);
	image->contents = NULL;
}
