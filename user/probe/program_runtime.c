/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/program_runtime.h"

const struct language_runtime *program_runtime(const struct binaries *binaries)
{
	const struct language_runtime *runtime = NULL;

	for (const struct binary *file = binaries_files(binaries); file && !runtime; file = file->next) {
		runtime = language_runtime_of_path(elf_path(file->elf));
		runtime = runtime ? runtime : language_runtime_of_program(file->elf);
	}
	return runtime;
}
