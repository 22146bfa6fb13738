/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "binary/hotspot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "binary/elf.h"
#include "binary/elf_symbols.h"
#include "system/process_memory.h"

#define LIBRARY "/libjvm.so"
#define OPTION	"PreserveFramePointer" /* a bool of globals.hpp, of that name since JDK 8u60 */

bool hotspot_has(const struct mapping *mapping)
{
	const char *name = strrchr(mapping->path, '/');

	return mapping->elf && name && !strcmp(name, LIBRARY);
}

static void find_option(struct hotspot *hotspot, const struct mapping *library)
{
	u64 variable, code;

	hotspot->library = library->start;
	hotspot->option = 0;
	if (!elf_find_variable(library->elf, OPTION, &variable) &&
	    !elf_offset_to_vaddr(library->elf, library->file_offset, &code))
		hotspot->option = library->start - code + variable;
}

int hotspot_keeps_frame_pointers(struct hotspot *hotspot, pid_t pid, const struct mapping *library)
{
	ssize_t count;
	int memory;
	u8 value;

	if (hotspot->library != library->start)
		find_option(hotspot, library);
	memory = hotspot->option ? process_memory_open(pid, O_RDONLY) : -1;
	if (memory < 0)
		return -ENOENT;
	count = pread(memory, &value, sizeof(value), (off_t)hotspot->option);
	close(memory);
	return count == sizeof(value) ? value == 1 : -ENOENT;
}
