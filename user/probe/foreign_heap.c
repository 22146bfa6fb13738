/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/foreign_heap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECTION_MAX (1u << 20)

#define QUARANTINE                                                                                                     \
	"what is freed stays resident in its quarantine, and its shadow memory is not malloc's; measure a build without it"

/* Each name is that of the interface that the allocator's own header declares. */
static const struct {
	const char *symbol;
	struct foreign_heap heap;
} symbols[] = {
	/* sanitizer/scudo_interface.h */
	{"__scudo_print_stats",
	 {"scudo",
	  "what is asked of it by the names of C and C++ is seen; __scudo_print_stats() tells what it keeps besides"}},
	{"__asan_init", {"AddressSanitizer", QUARANTINE}},
	{"__hwasan_init", {"HWAddressSanitizer", QUARANTINE}},
	{"__msan_init", {"MemorySanitizer", "its shadow memory is not malloc's; measure a build without it"}},
	{"__tsan_init", {"ThreadSanitizer", "its shadow memory is not malloc's; measure a build without it"}},
	/* tcmalloc/internal_malloc_extension.h */
	{"MallocExtension_Internal_GetStats",
	 {"Google's tcmalloc",
	  "what is asked of it by the names of C and C++ is seen, what the compiler asks by others (__size_returning_new) is not; "
	  "tcmalloc::MallocExtension::SnapshotCurrent() has a profile of all"}},
};

/* Blink's collector (Oilpan) has these, in each program that embeds it. */
static const char blink_section[] = "gc_info_section";
static const struct foreign_heap chromium = {
	"Chromium",
	"malloc's and new's blocks are seen, but not Blink's partitions and objects, nor V8's; chrome://tracing shows them (category "
	"memory-infra)",
};

const struct foreign_heap *foreign_heap_of_symbol(const char *symbol)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++)
		if (!strcmp(symbols[i].symbol, symbol))
			return &symbols[i].heap;
	return NULL;
}

const struct foreign_heap *foreign_heap_of_sections(const struct elf *elf)
{
	u8 *bytes = NULL;
	u64 size;
	int err = elf_read_section(elf, blink_section, SECTION_MAX, &bytes, &size, NULL);

	free(bytes);
	return !err || err == -EFBIG ? &chromium : NULL;
}
