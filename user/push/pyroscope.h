/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Grafana Pyroscope's push.v1: JSON of the Connect protocol (https://connectrpc.com/docs/protocol, unary calls), with .pb.gz files in it.
 * `__name__` is "memory" as for Go programs, so that dashboards for them fit; `__delta__` says that the store must not subtract
 * once more.
 */
#include "push/store.h"

#define PYROSCOPE_PATH "/push.v1.PusherService/Push"

/* See struct push_store. */
int pyroscope_encode(const struct push_profile *profiles, u32 count, unsigned char **ret_body, size_t *ret_size);
