/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target_leak, linked statically: its allocator is in the executable itself. */
#include "target_leak.c"
