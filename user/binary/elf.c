/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One mapped file: what its headers say is read once and copied, symbols are read on demand. Owns the descriptor.
 *
 * libelf reads here and never maps: a file that is truncated while heaptap looks at it, as an upgrade in place or a
 * hostile owner may do, must end in an error and not in SIGBUS. The libelf handle lives no longer than one function, so
 * no table of the file stays in heaptap's memory.
 */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "binary/elf_internal.h"

#define NOTE_BYTES_MAX	((u64)64 << 10)
#define NOTES_BYTES_MAX ((u64)1 << 20) /* of all notes of a file: libelf keeps each until the handle is closed */

ssize_t elf_read(const struct elf *elf, u64 offset, void *buffer, size_t size)
{
	size_t done = 0;

	if (size > SSIZE_MAX || offset > (u64)INT64_MAX - size)
		return -EINVAL;
	while (done < size) {
		ssize_t count = pread(elf->fd, (char *)buffer + done, size - done, (off_t)(offset + done));

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		if (count == 0)
			break;
		done += (size_t)count;
	}
	return (ssize_t)done;
}

int elf_read_bytes(const struct elf *elf, u64 offset, u64 size, u64 size_max, u8 **ret_bytes)
{
	ssize_t count;
	u8 *bytes;

	if (size > size_max)
		return -EFBIG;
	if (size == 0 || !elf_holds(offset, size, elf->file_size))
		return -EBADMSG;
	bytes = calloc(1, size + ELF_GUARD_BYTES);
	if (!bytes)
		return -ENOMEM;
	count = elf_read(elf, offset, bytes, size);
	if (count < 0 || (u64)count != size) {
		free(bytes);
		return count < 0 ? (int)count : -EBADMSG;
	}
	*ret_bytes = bytes;
	return 0;
}

bool elf_holds(u64 offset, u64 size, u64 limit)
{
	return size <= limit && offset <= limit - size;
}

/* --- headers --- */

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

/*
 * Look for the build id among the notes at `offset`, unless it is known. A note table that lies about its place is
 * skipped, and so is one when `left` is spent: the file merely has no build id then.
 */
static void read_notes(struct elf *elf, Elf *handle, u64 offset, u64 size, u64 align, u64 *left)
{
	Elf_Data *data;

	if (elf->build_id_size > 0 || size > NOTE_BYTES_MAX || !elf_holds(offset, size, elf->file_size) ||
	    !elf_spend(left, size))
		return;
	data = elf_getdata_rawchunk(handle, (int64_t)offset, size, align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
	if (data && data->d_buf)
		scan_notes(elf, data);
}

/* For files whose notes are in no segment. A section table that cannot be read is no reason to refuse the file. */
static void read_section_notes(struct elf *elf, Elf *handle, u64 *left)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while (elf->build_id_size == 0 && (section = elf_nextscn(handle, section)))
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_NOTE)
			read_notes(elf, handle, header.sh_offset, header.sh_size, header.sh_addralign, left);
}

static int read_interpreter(struct elf *elf, const GElf_Phdr *header)
{
	u8 *path;
	int err;

	if (elf->interpreter || header->p_filesz > PATH_MAX)
		return -EBADMSG;
	err = elf_read_bytes(elf, header->p_offset, header->p_filesz, PATH_MAX, &path);
	if (err)
		return err;
	elf->interpreter = (char *)path;
	return path[header->p_filesz - 1] == '\0' ? 0 : -EBADMSG;
}

static int add_segment(struct elf *elf, const GElf_Phdr *header)
{
	if (!elf_holds(header->p_offset, header->p_filesz, INT64_MAX) ||
	    !elf_holds(header->p_vaddr, header->p_filesz, UINT64_MAX))
		return -EBADMSG;
	if (elf->segment_count == SEGMENTS_MAX)
		return -EFBIG;
	if (array_grow(&elf->segments, elf->segment_count, 1))
		return -ENOMEM;
	elf->segments[elf->segment_count++] = (struct segment){
		.vaddr = header->p_vaddr,
		.offset = header->p_offset,
		.size = header->p_filesz,
	};
	return 0;
}

static int read_program_headers(struct elf *elf, Elf *handle, u64 *notes_left)
{
	size_t count;
	int err = 0;

	if (elf_getphdrnum(handle, &count) != 0)
		return -EBADMSG;
	for (size_t i = 0; i < count && err == 0; i++) {
		GElf_Phdr header;

		if (i > INT_MAX || !gelf_getphdr(handle, (int)i, &header))
			return -EBADMSG;
		if (header.p_type == PT_INTERP)
			err = read_interpreter(elf, &header);
		else if (header.p_type == PT_LOAD && (header.p_flags & PF_X) && header.p_filesz > 0)
			err = add_segment(elf, &header);
		else if (header.p_type == PT_NOTE)
			read_notes(elf, handle, header.p_offset, header.p_filesz, header.p_align, notes_left);
	}
	return err;
}

static u64 number_at(const u8 *bytes, size_t size, bool big_endian)
{
	u64 number = 0;

	for (size_t i = 0; i < size; i++)
		number = number << 8 | bytes[big_endian ? i : size - 1 - i];
	return number;
}

/*
 * libelf makes room for as many headers as the first section says, before it reads any, where the ELF header says that they are
 * too many for it to number. So are no program's and no library's.
 */
static bool numbers_headers(const struct elf *elf)
{
	u8 header[sizeof(Elf64_Ehdr)] = {0}, first[sizeof(Elf64_Shdr)] = {0};
	bool wide, big;
	u64 sections;

	if (elf_read(elf, 0, header, sizeof(header)) < 0)
		return false;
	wide = header[EI_CLASS] == ELFCLASS64;
	big = header[EI_DATA] == ELFDATA2MSB;
	if (number_at(header + (wide ? offsetof(Elf64_Ehdr, e_phnum) : offsetof(Elf32_Ehdr, e_phnum)), 2, big) ==
	    PN_XNUM)
		return false;
	if (number_at(header + (wide ? offsetof(Elf64_Ehdr, e_shnum) : offsetof(Elf32_Ehdr, e_shnum)), 2, big))
		return true;
	sections = wide ? number_at(header + offsetof(Elf64_Ehdr, e_shoff), 8, big)
			: number_at(header + offsetof(Elf32_Ehdr, e_shoff), 4, big);
	/* An offset that leads nowhere is left by tools that take the table away: libelf finds none there either. */
	if (!sections || elf_read(elf, sections, first, sizeof(first)) <= 0)
		return true;
	return (wide ? number_at(first + offsetof(Elf64_Shdr, sh_size), 8, big)
		     : number_at(first + offsetof(Elf32_Shdr, sh_size), 4, big)) <= UINT16_MAX;
}

Elf *elffile_handle(const struct elf *elf)
{
	Elf *handle;

	if (elf_version(EV_CURRENT) == EV_NONE || !numbers_headers(elf))
		return NULL;
	handle = elf_begin(elf->fd, ELF_C_READ, NULL);
	if (handle && elf_kind(handle) != ELF_K_ELF) {
		elf_end(handle);
		return NULL;
	}
	return handle;
}

static int read_headers(struct elf *elf, bool is_debug)
{
	u64 notes_left = NOTES_BYTES_MAX;
	GElf_Ehdr header;
	Elf *handle;
	int err;

	handle = elffile_handle(elf);
	if (!handle)
		return -EBADMSG;
	if (!gelf_getehdr(handle, &header)) {
		err = -EBADMSG;
		goto out;
	}
	elf->is_64bit_x86 = header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB &&
			    header.e_machine == EM_X86_64;
	err = is_debug ? 0 : read_program_headers(elf, handle, &notes_left);
	if (!err)
		read_section_notes(elf, handle, &notes_left);
out:
	elf_end(handle);
	return err;
}

/* Only regular files: reading from anything else might block. */
static int read_identity(struct elf *elf)
{
	char magic[SELFMAG];
	struct stat status;
	ssize_t count;

	if (fstat(elf->fd, &status) != 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -ENOEXEC;
	elf->device = status.st_dev;
	elf->inode = status.st_ino;
	elf->file_size = (u64)status.st_size;
	count = elf_read(elf, 0, magic, sizeof(magic));
	if (count < 0)
		return (int)count;
	return count == SELFMAG && memcmp(magic, ELFMAG, SELFMAG) == 0 ? 0 : -ENOEXEC;
}

static int open_file(int fd, const char *path, bool is_debug, struct elf **ret_elf)
{
	struct elf *elf;
	int err;

	elf = calloc(1, sizeof(*elf));
	if (!elf) {
		close(fd);
		return -ENOMEM;
	}
	elf->fd = fd;
	elf->path = strdup(path);
	err = elf->path ? read_identity(elf) : -ENOMEM;
	if (!err)
		err = read_headers(elf, is_debug);
	if (err) {
		elf_free(elf);
		return err;
	}
	*ret_elf = elf;
	return 0;
}

int elf_open(int fd, const char *path, struct elf **ret_elf)
{
	return open_file(fd, path, false, ret_elf);
}

int elf_open_debug(int fd, const char *path, struct elf **ret_elf)
{
	return open_file(fd, path, true, ret_elf);
}

void elf_free(struct elf *elf)
{
	if (!elf)
		return;
	close(elf->fd);
	free(elf->path);
	free(elf->interpreter);
	free(elf->segments);
	free(elf);
}

const char *elf_path(const struct elf *elf)
{
	return elf->path;
}

int elf_fd(const struct elf *elf)
{
	return elf->fd;
}

dev_t elf_device(const struct elf *elf)
{
	return elf->device;
}

ino_t elf_inode(const struct elf *elf)
{
	return elf->inode;
}

const u8 *elf_build_id(const struct elf *elf, unsigned int *ret_size)
{
	*ret_size = elf->build_id_size;
	return elf->build_id_size > 0 ? elf->build_id : NULL;
}

const char *elf_interpreter(const struct elf *elf)
{
	return elf->interpreter;
}

bool elf_is_64bit_x86(const struct elf *elf)
{
	return elf->is_64bit_x86;
}

int elf_offset_to_vaddr(const struct elf *elf, u64 offset, u64 *ret_vaddr)
{
	for (size_t i = 0; i < elf->segment_count; i++) {
		const struct segment *segment = &elf->segments[i];

		if (offset >= segment->offset && offset - segment->offset < segment->size) {
			*ret_vaddr = segment->vaddr + (offset - segment->offset);
			return 0;
		}
	}
	return -ENOENT;
}

int elf_find_vaddr(const struct elf *elf, u64 vaddr, u64 *ret_offset, u64 *ret_left)
{
	for (size_t i = 0; i < elf->segment_count; i++) {
		const struct segment *segment = &elf->segments[i];

		if (vaddr >= segment->vaddr && vaddr - segment->vaddr < segment->size) {
			*ret_offset = segment->offset + (vaddr - segment->vaddr);
			*ret_left = segment->size - (vaddr - segment->vaddr);
			return 0;
		}
	}
	return -ENOENT;
}

int elf_vaddr_to_offset(const struct elf *elf, u64 vaddr, u64 *ret_offset)
{
	u64 left;

	return elf_find_vaddr(elf, vaddr, ret_offset, &left);
}
