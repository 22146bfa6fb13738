/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One mapped file: what its headers say is read once and copied, symbols are read on demand. Owns the descriptor.
 * Created by target for every file that a traced process maps; read by attach (offsets), site (code) and symbol
 * (names).
 *
 * libelf reads here and never maps: a file that is truncated while heaptap looks at it, as an upgrade in place or a
 * hostile owner may do, must end in an error and not in SIGBUS. The libelf handle lives no longer than one function, so
 * no table of the file stays in heaptap's memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gelf.h>
#include <libelf.h>

#include "elf.h"

#define SECTION_BYTES_MAX ((u64)512 << 20) /* of a symbol or string table; the largest browsers stay below */
#define NOTE_BYTES_MAX	  ((u64)64 << 10)

/* The part of an executable PT_LOAD that comes from the file. */
struct segment {
	u64 vaddr;
	u64 offset;
	u64 size;
};

struct elf {
	int fd;
	char *path;
	dev_t device;
	ino_t inode;
	u64 file_size;
	bool is_64bit_x86;
	char *interpreter;
	u8 build_id[BUILD_ID_MAX];
	unsigned int build_id_size;
	struct segment *segments;
	size_t segment_count;
};

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

static bool range_is_inside(u64 offset, u64 size, u64 limit)
{
	return size <= limit && offset <= limit - size;
}

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

/* A note table that lies about its place is passed over: the file merely has no build id then. */
static void read_notes(struct elf *elf, Elf *handle, u64 offset, u64 size, u64 align)
{
	Elf_Data *data;

	if (elf->build_id_size > 0 || size > NOTE_BYTES_MAX || !range_is_inside(offset, size, elf->file_size))
		return;
	data = elf_getdata_rawchunk(handle, (int64_t)offset, size, align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
	if (data && data->d_buf)
		scan_notes(elf, data);
}

static int read_interpreter(struct elf *elf, const GElf_Phdr *header)
{
	char path[PATH_MAX];
	ssize_t count;

	if (elf->interpreter || header->p_filesz == 0 || header->p_filesz > sizeof(path) ||
	    !range_is_inside(header->p_offset, header->p_filesz, elf->file_size))
		return -EBADMSG;
	count = elf_read(elf, header->p_offset, path, header->p_filesz);
	if (count < 0)
		return (int)count;
	if ((u64)count != header->p_filesz || path[count - 1] != '\0')
		return -EBADMSG;
	elf->interpreter = strdup(path);
	return elf->interpreter ? 0 : -ENOMEM;
}

static int add_segment(struct elf *elf, const GElf_Phdr *header)
{
	struct segment *segments;

	if (!range_is_inside(header->p_offset, header->p_filesz, INT64_MAX) ||
	    !range_is_inside(header->p_vaddr, header->p_filesz, UINT64_MAX))
		return -EBADMSG;
	segments = reallocarray(elf->segments, elf->segment_count + 1, sizeof(*segments));
	if (!segments)
		return -ENOMEM;
	elf->segments = segments;
	segments[elf->segment_count++] = (struct segment){
		.vaddr = header->p_vaddr,
		.offset = header->p_offset,
		.size = header->p_filesz,
	};
	return 0;
}

static int read_program_headers(struct elf *elf, Elf *handle)
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
			read_notes(elf, handle, header.p_offset, header.p_filesz, header.p_align);
	}
	return err;
}

/* For files whose notes are in no segment. A section table that cannot be read is no reason to refuse the file. */
static void read_note_sections(struct elf *elf, Elf *handle)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while (elf->build_id_size == 0 && (section = elf_nextscn(handle, section)))
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_NOTE)
			read_notes(elf, handle, header.sh_offset, header.sh_size, header.sh_addralign);
}

/* A libelf handle over the file, or NULL. */
static Elf *handle_open(const struct elf *elf)
{
	Elf *handle;

	if (elf_version(EV_CURRENT) == EV_NONE)
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
	GElf_Ehdr header;
	Elf *handle;
	int err;

	handle = handle_open(elf);
	if (!handle)
		return -EBADMSG;
	if (!gelf_getehdr(handle, &header)) {
		err = -EBADMSG;
		goto out;
	}
	elf->is_64bit_x86 = header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB &&
			    header.e_machine == EM_X86_64;
	err = is_debug ? 0 : read_program_headers(elf, handle);
	if (!err)
		read_note_sections(elf, handle);
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

/* The file offset of `vaddr` and how many bytes of its segment follow. */
static int find_vaddr(const struct elf *elf, u64 vaddr, u64 *ret_offset, u64 *ret_left)
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

	return find_vaddr(elf, vaddr, ret_offset, &left);
}

/* Where symbols are read from, and to whom they are shown. */
struct symbol_walk {
	const struct elf *elf;	 /* whose code they name */
	const struct elf *debug; /* where they stand: mostly the same */
	Elf *handle;		 /* of debug */
	int (*each)(const struct elf_symbol *symbol, void *arg);
	void *arg;
};

static int show_symbol(const struct symbol_walk *walk, const GElf_Sym *entry, const char *name)
{
	struct elf_symbol symbol = {.name = name};
	const char *version = strchr(name, '@');
	char *cut = NULL;
	u64 left;
	int err;

	if (find_vaddr(walk->elf, entry->st_value, &symbol.offset, &left) != 0)
		return 0;
	symbol.size = entry->st_size < left ? entry->st_size : left;
	if (version) {
		cut = strndup(name, (size_t)(version - name));
		if (!cut)
			return -ENOMEM;
		symbol.name = cut;
	}
	err = walk->each(&symbol, walk->arg);
	free(cut);
	return err;
}

static int check_table(const struct symbol_walk *walk, const GElf_Shdr *header)
{
	if (!range_is_inside(header->sh_offset, header->sh_size, walk->debug->file_size))
		return -EBADMSG;
	return header->sh_size <= SECTION_BYTES_MAX ? 0 : -EFBIG;
}

static int walk_table(const struct symbol_walk *walk, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Scn *string_section = elf_getscn(walk->handle, header->sh_link);
	GElf_Shdr string_header;
	Elf_Data *data;
	int err;

	if (!string_section || !gelf_getshdr(string_section, &string_header) || string_header.sh_type != SHT_STRTAB)
		return -EBADMSG;
	err = check_table(walk, header);
	if (!err)
		err = check_table(walk, &string_header);
	if (err)
		return err;
	data = elf_getdata(section, NULL);
	if (!data)
		return -EBADMSG;

	for (int i = 1;; i++) {
		const char *name;
		GElf_Sym symbol;

		/* It also ends there when the table holds more than INT_MAX symbols, which SECTION_BYTES_MAX rules out.
		 */
		if (!gelf_getsym(data, i, &symbol))
			return 0;
		if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF)
			continue;
		name = elf_strptr(walk->handle, header->sh_link, symbol.st_name);
		if (!name)
			return -EBADMSG;
		err = show_symbol(walk, &symbol, name);
		if (err)
			return err;
	}
}

static int walk_tables_of_type(const struct symbol_walk *walk, unsigned int type)
{
	Elf_Scn *section = NULL;
	int err = 0;

	while (err == 0 && (section = elf_nextscn(walk->handle, section))) {
		GElf_Shdr header;

		if (!gelf_getshdr(section, &header))
			return -EBADMSG;
		if (header.sh_type == type)
			err = walk_table(walk, section, &header);
	}
	return err;
}

/* libelf shows a section table outside the file as none at all. */
static int check_sections(Elf *handle)
{
	GElf_Ehdr header;
	size_t count;

	if (!gelf_getehdr(handle, &header) || elf_getshdrnum(handle, &count) != 0)
		return -EBADMSG;
	return header.e_shoff != 0 && count == 0 ? -EBADMSG : 0;
}

int elf_for_each_function_of(struct elf *elf, const struct elf *debug,
			     int (*each)(const struct elf_symbol *symbol, void *arg), void *arg)
{
	struct symbol_walk walk = {.elf = elf, .debug = debug, .each = each, .arg = arg};
	int err;

	walk.handle = handle_open(debug);
	if (!walk.handle)
		return -EBADMSG;
	err = check_sections(walk.handle);
	if (!err)
		err = walk_tables_of_type(&walk, SHT_DYNSYM);
	if (!err)
		err = walk_tables_of_type(&walk, SHT_SYMTAB);
	elf_end(walk.handle);
	return err;
}

int elf_for_each_function(struct elf *elf, int (*each)(const struct elf_symbol *symbol, void *arg), void *arg)
{
	return elf_for_each_function_of(elf, elf, each, arg);
}

/* The header of the first section of that name that has bytes in the file. */
static bool find_section(Elf *handle, const char *name, GElf_Shdr *ret_header)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(handle, &names) != 0)
		return false;
	while ((section = elf_nextscn(handle, section))) {
		const char *own;

		if (!gelf_getshdr(section, ret_header) || ret_header->sh_type == SHT_NOBITS)
			continue;
		own = elf_strptr(handle, names, ret_header->sh_name);
		if (own && strcmp(own, name) == 0)
			return ret_header->sh_size > 0;
	}
	return false;
}

int elf_read_section(const struct elf *elf, const char *name, size_t size_max, u8 **ret_bytes, size_t *ret_size)
{
	Elf *handle = handle_open(elf);
	GElf_Shdr header;
	ssize_t count;
	bool found;
	u8 *bytes;

	found = handle && find_section(handle, name, &header);
	elf_end(handle);
	if (!found)
		return -ENOENT;
	if (header.sh_size > size_max)
		return -EFBIG;
	if (!range_is_inside(header.sh_offset, header.sh_size, elf->file_size))
		return -EBADMSG;
	bytes = malloc(header.sh_size);
	if (!bytes)
		return -ENOMEM;
	count = elf_read(elf, header.sh_offset, bytes, header.sh_size);
	if (count < 0 || (u64)count != header.sh_size) {
		free(bytes);
		return -EBADMSG;
	}
	*ret_bytes = bytes;
	*ret_size = header.sh_size;
	return 0;
}
