/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/exceptions.h"

#include <errno.h>
#include <string.h>

#include "binary/elf_dynamic.h"
#include "binary/elf_symbols.h"

static const char *const names[] = {
	"__gxx_personality_v0", "__cxa_throw", "_Unwind_RaiseException", "_Unwind_Resume", "rust_eh_personality",
};

#define NAMES (sizeof(names) / sizeof(*names))

static int match(const struct elf_symbol *symbol, void *arg)
{
	(void)arg;
	for (size_t i = 0; i < NAMES; i++)
		if (!strcmp(symbol->name, names[i]))
			return 1;
	return 0;
}

static int are_imported(const struct elf *elf)
{
	struct elf_dynamic *dynamic;
	int err = elf_dynamic_open(elf, &dynamic), imported = 0;

	if (err)
		return err == -ENOMEM ? err : 0;
	for (size_t i = 0; i < NAMES && !imported; i++)
		imported = elf_dynamic_imports(dynamic, names[i]);
	elf_dynamic_free(dynamic);
	return imported;
}

int exceptions_possible(struct elf *elf)
{
	int possible = are_imported(elf);

	if (!possible)
		possible = elf_for_each_function(elf, match, NULL);
	return possible == -EFBIG ? 1 : possible;
}
