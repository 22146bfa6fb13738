/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Parca's ProfileStoreService.WriteRaw through its JSON gateway, with .pb.gz files in it. A profile with a duration becomes the type
 * "memory:...:delta" there.
 */
#include "push/store.h"

#define PARCA_PATH "/api/profiles/writeraw"

/* See struct push_store. */
int parca_encode(const struct push_profile *profiles, u32 count, unsigned char **ret_body, size_t *ret_size);
