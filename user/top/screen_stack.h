/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What there is to say about one call site: figures, survival, whole stack. */
#include "top/screen.h"

/* Adds a line for the site, and all the others, however many. `curve` NULL: it is not known. */
void screen_stack_put(const struct rows *rows, const struct row *row, const struct survival_curve *curve,
		      struct frame *frame);

/* The same for a site that has gone. */
void screen_stack_put_gone(struct frame *frame);
