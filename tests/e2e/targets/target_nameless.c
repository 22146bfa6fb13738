/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target_steps, stripped: its names must come from elsewhere. */
#include "target_steps.c"
