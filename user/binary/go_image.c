/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "binary/go_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf_internal.h"

#define BUILD_SECTION ".go.buildinfo"
#define BUILD_MAX     (1u << 20)
#define BUILD_MAGIC   "\xff Go buildinf:"
#define BUILD_FLAGS   15 /* 2: the version stands behind the header */
#define BUILD_HEADER  32
#define SEARCH_MAX    (64u << 20) /* of all sections that are searched: a hostile file may have thousands */
#define SEARCH_STEP   8		  /* the linker aligns the table at least so */
#define MAGIC_1_18    0xfffffff0u
#define MAGIC_1_20    0xfffffff1u

/* --- the version --- */

/* "go1.19.8", "go1.24.4 X:nocoverageredesign"; of what else there is ("devel ...") the number is unknown. */
static unsigned int minor_of(const char *version)
{
	return strncmp(version, "go1.", 4) ? 0 : (unsigned int)strtoul(version + 4, NULL, 10);
}

static int parse_build(const u8 *bytes, u64 size, struct go_image *image)
{
	u64 length, at = BUILD_HEADER + 1;

	if (size <= BUILD_HEADER || memcmp(bytes, BUILD_MAGIC, sizeof(BUILD_MAGIC) - 1))
		return -EBADMSG;
	if (!(bytes[BUILD_FLAGS] & 2))
		return -ENOTSUP;
	length = bytes[BUILD_HEADER]; /* a varint, but no version has 128 characters */
	if (!length || length >= 128 || length > size - at)
		return -EBADMSG;
	length = length < GO_VERSION_SIZE ? length : GO_VERSION_SIZE - 1;
	memcpy(image->version, bytes + at, length);
	image->version[length] = '\0';
	/* It is shown, and the file may be anybody's. */
	for (char *c = image->version; *c; c++)
		if (*c < ' ' || *c > '~')
			return -EBADMSG;
	image->version[strcspn(image->version, " ")] = '\0';
	image->minor = minor_of(image->version);
	return 0;
}

static int read_version(const struct elf *elf, struct go_image *image)
{
	u8 *bytes = NULL;
	u64 size;
	int err = elf_read_section(elf, BUILD_SECTION, BUILD_MAX, &bytes, &size, NULL);

	err = err == -EFBIG ? -EBADMSG : err;
	if (!err)
		err = parse_build(bytes, size, image);
	free(bytes);
	return err;
}

/* --- the table of lines --- */

static u64 word(const u8 *bytes, unsigned int index)
{
	u64 value;

	memcpy(&value, bytes + 8UL * index, sizeof(value));
	return value;
}

/* runtime/symtab.go, pcHeader: magic, padding, quantum, pointer size; nfunc, nfiles, textStart; five offsets, ascending. */
bool go_image_is_lines(const u8 header[GO_LINES_HEADER], u64 room)
{
	u64 before = GO_LINES_HEADER;
	u32 magic;

	memcpy(&magic, header, sizeof(magic));
	if ((magic != MAGIC_1_18 && magic != MAGIC_1_20) || header[4] || header[5] || header[6] != 1 || header[7] != 8)
		return false;
	for (unsigned int i = 4; i < 9; i++) {
		if (word(header, i) < before || word(header, i) >= room)
			return false;
		before = word(header, i);
	}
	/* Two words for each function, and one entry behind the last. */
	return word(header, 1) && word(header, 1) <= (room - before) / 8;
}

static bool is_at(const struct elf *elf, const struct go_extent *extent)
{
	u8 header[GO_LINES_HEADER];

	return extent->size > sizeof(header) && extent->size <= GO_LINES_MAX &&
	       elf_read(elf, extent->offset, header, sizeof(header)) == sizeof(header) &&
	       go_image_is_lines(header, extent->size);
}

/* The C linker puts what is to be relocated into one section: there its header is searched. *left is what may be read for that. */
static int search(const struct elf *elf, const struct go_extent *within, struct go_extent *ret_lines, u64 *left)
{
	u8 *bytes;
	int err;

	if (!elf_spend(left, within->size))
		return 0;
	err = elf_read_bytes(elf, within->offset, within->size, within->size, &bytes);
	if (err)
		return err == -ENOMEM ? err : 0;
	for (u64 at = 0; within->size > GO_LINES_HEADER && at < within->size - GO_LINES_HEADER; at += SEARCH_STEP)
		if (go_image_is_lines(bytes + at, within->size - at)) {
			*ret_lines = (struct go_extent){within->vaddr + at, within->offset + at, within->size - at};
			break;
		}
	free(bytes);
	return 0;
}

/* --- headers --- */

static bool is_data(const char *name)
{
	return !strcmp(name, ".go.module") || !strcmp(name, ".noptrdata") || !strcmp(name, ".data") ||
	       !strcmp(name, ".data.rel.ro");
}

static int take_section(const struct elf *elf, const char *name, const GElf_Shdr *header, struct go_image *image,
			u64 *left)
{
	const struct go_extent extent = {header->sh_addr, header->sh_offset, header->sh_size};

	if (header->sh_type == SHT_NOBITS || !(header->sh_flags & SHF_ALLOC) ||
	    !elf_holds(extent.offset, extent.size, elf->file_size))
		return 0;
	if (is_data(name) && image->data_count < GO_SECTIONS_MAX)
		image->data[image->data_count++] = extent;
	if (!strcmp(name, ".gopclntab") || !strcmp(name, ".data.rel.ro.gopclntab"))
		image->lines = is_at(elf, &extent) ? extent : image->lines;
	else if (!image->lines.size && !strcmp(name, ".data.rel.ro"))
		return search(elf, &extent, &image->lines, left);
	return 0;
}

static int read_sections(const struct elf *elf, Elf *handle, struct go_image *image)
{
	Elf_Scn *section = NULL;
	struct section_names names;
	u64 left = SEARCH_MAX;
	GElf_Shdr header;
	int err = elf_section_names(elf, handle, &names);

	if (err)
		return err == -ENOMEM ? err : -EBADMSG;
	while (!err && (section = elf_nextscn(handle, section))) {
		const char *name = gelf_getshdr(section, &header) ? elf_section_name(&names, header.sh_name) : NULL;

		err = name ? take_section(elf, name, &header, image, &left) : 0;
	}
	free(names.bytes);
	return err;
}

static void read_segments(const struct elf *elf, Elf *handle, struct go_image *image)
{
	GElf_Phdr header;
	size_t count;

	if (elf_getphdrnum(handle, &count))
		return;
	for (size_t i = 0; i < count && i < SEGMENTS_MAX && image->segment_count < GO_SEGMENTS_MAX; i++)
		if (gelf_getphdr(handle, (int)i, &header) && header.p_type == PT_LOAD &&
		    elf_holds(header.p_offset, header.p_filesz, elf->file_size))
			image->segments[image->segment_count++] =
				(struct go_extent){header.p_vaddr, header.p_offset, header.p_filesz};
}

int go_image_read(const struct elf *elf, struct go_image *ret_image)
{
	Elf *handle;
	int err;

	*ret_image = (struct go_image){0};
	err = read_version(elf, ret_image);
	if (err)
		return err;
	handle = elffile_handle(elf);
	if (!handle)
		return -EBADMSG;
	err = read_sections(elf, handle, ret_image);
	read_segments(elf, handle, ret_image);
	elf_end(handle);
	return err;
}

int go_image_bytes(const struct elf *elf, const struct go_image *image, u64 vaddr, void *buffer, size_t size)
{
	for (unsigned int i = 0; i < image->segment_count; i++) {
		const struct go_extent *segment = &image->segments[i];
		ssize_t count;

		if (vaddr < segment->vaddr || !elf_holds(vaddr - segment->vaddr, size, segment->size))
			continue;
		count = elf_read(elf, segment->offset + (vaddr - segment->vaddr), buffer, size);
		return count < 0 ? (int)count : (size_t)count == size ? 0 : -ENOENT;
	}
	return -ENOENT;
}
