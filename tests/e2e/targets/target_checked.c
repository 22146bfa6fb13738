/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target_leak under AddressSanitizer, whose runtime has an allocator of its own. */
#include "target_leak.c"
