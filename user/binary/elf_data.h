/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The variables of a file as they are when the loader has placed it and no code of it has run: the bytes of its writable segments, with
 * the addresses that the loader writes there. All are as in the file: a process adds what the file was moved by.
 */
#include "binary/elf_dynamic.h"

/*
 * Call `each` for every piece of writable memory that stays writable (PT_LOAD without PT_GNU_RELRO): `words` are its 8-byte words from the
 * virtual address `vaddr` on, which is a multiple of 8. Returns what `each` returns if that is not 0; 0; -EFBIG: over 64 MiB or 16 pieces, of which none is shown;
 * -EBADMSG, -ENOMEM or an error of reading. `dynamic` NULL: the loader writes no addresses.
 */
int elf_data_for_each(const struct elf *elf, const struct elf_dynamic *dynamic,
		      int (*each)(u64 vaddr, const u64 *words, u64 count, void *arg), void *arg);
