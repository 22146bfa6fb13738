/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Demangled names of functions, compared as their authors write them. */
#include <stdbool.h>

/* Where the function's own name begins: past the return type that a demangler puts before that of a template. */
const char *function_name_own(const char *name);

/*
 * Does an own name begin like that? The version that a C++ library has in its namespace (std::__1, std::__cxx11) is passed
 * over.
 */
bool function_name_begins(const char *own, const char *beginning);
