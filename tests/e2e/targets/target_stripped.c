/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target_leak, stripped: no names of its own, yet libc's dynamic symbols remain. */
#include "target_leak.c"
