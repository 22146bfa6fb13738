/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target_bare for 32 bits. */
#include "target_bare.c"
