/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Programs that copy their own code to other memory while they run, as some do that want it on huge pages. They copy
 * breakpoints along, the kernel knows none at the copy's place, and the program dies at the first one. Nothing can mend
 * what has been copied, but those that are built with a known way of doing it can be told.
 */
struct elf;

/* The name by which the file shows that it can, static; NULL: it shows none. */
const char *moving_text_find(struct elf *elf);
