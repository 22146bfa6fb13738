/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What doctor says of mallocs that are no family's: those that --alloc names, and those that only hand calls on. */
struct binaries;

/* For each function that --alloc names: found, not found, or in a file that is not mapped yet; and whose malloc is a wrapper. */
void doctor_pool_print(const struct binaries *binaries);
