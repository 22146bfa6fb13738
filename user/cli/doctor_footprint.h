/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "trace/footprint.h"

/* On stdout: what heaptap takes in memory, how much of each kind there is room for, and what counts those beyond. */
void doctor_footprint_print(const struct footprint *footprint);
