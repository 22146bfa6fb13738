/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The build id of a file: in the notes of its segments, or of its sections. */
#include <string.h>

#include "binary/elf_internal.h"

#define NOTE_BYTES_MAX ((u64)64 << 10)

static void scan_notes(struct elf *elf, Elf_Data *data)
{
	size_t offset = 0, next, name, description;
	GElf_Nhdr note;

	for (; elf->build_id_size == 0 && (next = gelf_getnote(data, offset, &note, &name, &description)) > 0;
	     offset = next) {
		if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != sizeof("GNU") ||
		    memcmp((const char *)data->d_buf + name, "GNU", sizeof("GNU")) != 0)
			continue;
		/* The kernel knows no longer ones either, so nothing could be compared with it. */
		if (note.n_descsz == 0 || note.n_descsz > BUILD_ID_MAX)
			continue;
		memcpy(elf->build_id, (const u8 *)data->d_buf + description, note.n_descsz);
		elf->build_id_size = note.n_descsz;
	}
}

void elf_note_read(struct elf *elf, Elf *handle, u64 offset, u64 size, u64 align)
{
	Elf_Data *data;

	if (elf->build_id_size > 0 || size > NOTE_BYTES_MAX || !elf_holds(offset, size, elf->file_size))
		return;
	data = elf_getdata_rawchunk(handle, (int64_t)offset, size, align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
	if (data && data->d_buf)
		scan_notes(elf, data);
}

void elf_note_read_sections(struct elf *elf, Elf *handle)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while (elf->build_id_size == 0 && (section = elf_nextscn(handle, section)))
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_NOTE)
			elf_note_read(elf, handle, header.sh_offset, header.sh_size, header.sh_addralign);
}
