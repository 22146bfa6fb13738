/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The ledger of one process in index.json, compared with the formula in include/counter.h. */
#include "session.h"

/* sampled = the sum of all that can become of a sample, to the object. */
void ledger_assert_balanced(const cJSON *process);
/* Balanced, and nothing lost, refused, degraded or cut off. */
void ledger_assert_clean(const cJSON *process);
