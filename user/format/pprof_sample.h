/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The samples of a .pb.gz. There may be a million of them: they are written as bytes, without protobuf-c's objects. */
#include "format/pprof_builder.h"

/* Write the samples of the builder's profile. */
void pprof_samples_write(struct pprof_builder *builder);
