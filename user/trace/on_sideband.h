/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the side-band tells, on its way to the recorder: names, forks and mappings of processes that are or may be traced. */
struct tracer;

int on_sideband_open(struct tracer *tracer); /* as sideband_open */
void on_sideband_drain(struct tracer *tracer);
