/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target_steps, stripped: whoever wants its names has to ask elsewhere. */
#include "target_steps.c"
