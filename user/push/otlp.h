/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * OpenTelemetry's profiles over HTTP, as protobuf (otlp.proto). Experimental, as the protocol is: its version is called v1development, and has
 * changed in the past so that older receivers did not understand it. A profile has one type of sample there, so a pair is four.
 */
#include "push/store.h"

#define OTLP_PATH "/v1development/profiles"

/* See struct push_store. The stacks must all be of one profile. */
int otlp_encode(const struct push_profile *profiles, u32 count, unsigned char **ret_body, size_t *ret_size);
u64 otlp_number(const struct push_profile *profiles, u32 count);
