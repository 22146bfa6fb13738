/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What user space gets: counters of PROCESS, and events. Include after the programs and the number. */

static STUB_UNUSED u64 counted(enum counter counter)
{
	u32 row = PROCESS;
	struct tally *tally = bpf_map_lookup_elem(&tallies, &row);

	return tally->count[counter];
}

static STUB_UNUSED void assert_no_event(void)
{
	size_t size;

	assert_null(stub_ring_next(&size));
}
