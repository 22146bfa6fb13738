/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor_footprint.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/sysinfo.h>

#include "base/units.h"

static void print_row(struct units_text here, struct units_text usual, const char *what, const char *beyond)
{
	printf("  %-10s %-10s %-28s %s\n", here.text, usual.text, what, beyond);
}

void doctor_footprint_print(const struct footprint *footprint)
{
	const struct footprint usual = footprint_choose(false, (u32)get_nprocs_conf(), UINT64_MAX);
	u64 maps = footprint_maps(footprint);

	printf("\nMemory\n  the ring and the BPF maps take %s, which counts for the control group that heaptap runs in; loading "
	       "takes %s more, for a moment\n",
	       units_bytes((double)maps).text, units_bytes((double)(footprint_needed(footprint) - maps)).text);
	print_row(units_format("room for"), units_format("usually"), "", "beyond, counted in the ledger as");
	print_row(units_bytes(footprint->ring_bytes), units_bytes(usual.ring_bytes), "events in the ring",
		  "lost_ring, stack_lost_ring, event_lost, mapping_lost");
	print_row(units_digits(footprint->live_rows), units_digits(usual.live_rows), "live sampled objects",
		  "refused: counted as allocated, but not followed to their free");
	print_row(units_digits(footprint->unwind_rows), units_digits(usual.unwind_rows), "words of unwind tables",
		  "stack_raw: sent whole, and unwound outside the kernel");
	print_row(units_bytes(footprint->raw_bytes), units_bytes(usual.raw_bytes), "stacks that wait for tables",
		  "stack_no_table: they end early");
	print_row(units_digits(footprint->sites), units_digits(usual.sites), "sites and stacks",
		  "stack_no_room: counted without their stack");
}
