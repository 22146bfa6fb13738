/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/wrapper.h"

#include <stdlib.h>
#include <string.h>

#include "binary/elf_dynamic.h"

#define CHUNK_BYTES    (1 << 20)
#define SEARCHED_BYTES ((u64)1 << 30) /* of a file */

static bool imports_any(const struct elf_dynamic *dynamic, const char *const *names)
{
	for (; *names; names++)
		if (elf_dynamic_imports(dynamic, *names))
			return true;
	return false;
}

/* The word as a whole string of the program's, not one of the loader's names. */
static bool has_string(const struct elf_dynamic *dynamic, const u8 *bytes, size_t size, u64 offset, const char *word,
		       size_t length)
{
	const u8 *at = bytes;

	while ((at = memmem(at, size - (size_t)(at - bytes), word, length))) {
		if (!elf_dynamic_is_name(dynamic, offset + (u64)(at - bytes)))
			return true;
		at++;
	}
	return false;
}

static bool names_malloc(const struct elf *elf, const struct elf_dynamic *dynamic)
{
	static const char word[] = "malloc"; /* with its end; compilers let strings share theirs */
	u8 *chunk = malloc(CHUNK_BYTES);
	bool found = false;
	ssize_t length = chunk ? CHUNK_BYTES : 0;

	for (u64 offset = 0; length == CHUNK_BYTES && !found && offset < SEARCHED_BYTES;
	     offset += CHUNK_BYTES - sizeof(word)) {
		length = elf_read(elf, offset, chunk, CHUNK_BYTES);
		found = length > 0 && has_string(dynamic, chunk, (size_t)length, offset, word, sizeof(word));
	}
	free(chunk);
	return found;
}

bool wrapper_is(const struct elf *elf, const struct elf_dynamic *dynamic)
{
	static const char *const others[] = {"__libc_malloc", "__libc_memalign", "__libc_calloc", "__libc_realloc",
					     NULL};
	static const char *const asking[] = {"dlsym", "dlvsym", NULL};

	if (!dynamic)
		return false;
	return imports_any(dynamic, others) || (imports_any(dynamic, asking) && names_malloc(elf, dynamic));
}
