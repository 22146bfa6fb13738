/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "profile/profile.h"

/* A profile of its own with all tables, whoever owns theirs. What is borrowed (elf, root) is left out. NULL: no memory. */
struct profile *profile_copy(const struct profile *profile);
