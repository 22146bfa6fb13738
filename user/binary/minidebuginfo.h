/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The compressed symbol table that some distributions leave in a stripped file (.gnu_debugdata). */

struct elf;

/*
 * What .gnu_debugdata holds, unpacked. 0 (elf_free it); -ENOENT: there is none; -EFBIG: it unfolds to more than 64 MiB;
 * -EBADMSG; -ENOMEM or another negative errno.
 */
int minidebuginfo_unpack(const struct elf *elf, struct elf **ret_debug);
