/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Which language's runtime a program has in the files that it maps. */
#include "binary/language_runtime.h"
#include "probe/binaries.h"

/* NULL: none that is known. */
const struct language_runtime *program_runtime(const struct binaries *binaries);
