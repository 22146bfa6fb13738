/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Languages whose runtimes keep objects in a heap of their own, or make code without symbols: what to type then. */
#include "binary/elf.h"

struct language_runtime {
	const char *name;   /* "a Java virtual machine" */
	const char *memory; /* a sentence: where its objects are, and what shows them */
	const char *names;  /* what to type for the names of the functions that it runs; NULL: nothing is needed */
};

/* The runtime that a file of that path is, by its name. NULL: none that is known. Commands have PID for a process number. */
const struct language_runtime *language_runtime_of_path(const char *path);

/* Go's, by the section that each of its programs has; NULL: it is no such program. This reads the file. */
const struct language_runtime *language_runtime_of_program(const struct elf *elf);
