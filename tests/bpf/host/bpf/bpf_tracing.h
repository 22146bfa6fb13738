/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for libbpf's header of that name when the programs are compiled for the host. */
#include "bpf/bpf_stub.h"
