/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One tiny program per kernel feature that heaptap builds on, each loaded alone by user/trace/feature.c: what loads, attaches
 * and fires here is what this kernel can do.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* How often a uprobe program ran, and the attach cookie it saw last. */
u64 hits = 0;
u64 cookie = 0;

/* Read by the session program: 1 skips the return leg. An int, since the verifier must see 0 or 1 and nothing between.
 */
u32 skip_return = 0;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} feature_events SEC(".maps");

/* BPF itself (CONFIG_BPF_SYSCALL and the right to use it). */
SEC("?raw_tp") int feature_bpf(void *ctx)
{
	return 0;
}

/*
 * Ring buffer, 5.8, 457f44363a88 ("bpf: Implement BPF ring buffer and verifier support for it"). Returns the bytes
 * waiting: header and record.
 */
SEC("?raw_tp") int feature_ring(void *ctx)
{
	u64 record = 1;

	if (bpf_ringbuf_output(&feature_events, &record, sizeof(record), BPF_RB_NO_WAKEUP))
		return 0;
	return bpf_ringbuf_query(&feature_events, BPF_RB_AVAIL_DATA);
}

/* Typed tracepoints, 5.5, 9e15db66136a ("bpf: Implement accurate raw_tp context access via BTF"). Needs the kernel's
 * BTF. */
SEC("?tp_btf/sched_process_exec") int feature_tp_btf(u64 *ctx)
{
	return 0;
}

/*
 * Perf-event uprobes under a link with a cookie: links 5.15, b89fbfbb854c ("bpf: Implement minimal BPF perf link"),
 * cookies 5.15, 82e6b1eee6a8 ("bpf: Allow to specify user-provided bpf_cookie for BPF perf links"). Multi links: 6.6,
 * 89ae89f53d20
 * ("bpf: Add multi uprobe link"); their PID filter from 6.10, 46ba0e49b642 ("bpf: fix multi-uprobe PID filtering
 * logic"). The same program serves both, loaded with another expected attach type.
 */
SEC("?uprobe") int feature_uprobe(struct pt_regs *ctx)
{
	__sync_fetch_and_add(&hits, 1);
	cookie = bpf_get_attach_cookie(ctx);
	return 0;
}

/* Session links: 6.13, d920179b3d48 ("bpf: Add support for uprobe multi session attach"). */
SEC("?uprobe") int feature_session(struct pt_regs *ctx)
{
	__sync_fetch_and_add(&hits, 1);
	cookie = bpf_get_attach_cookie(ctx);
	return skip_return ? 1 : 0;
}

/*
 * At the end of a function of the kernel: 5.5, fec56f5890d9 ("bpf: Introduce BPF trampoline"); attaching needs ftrace's direct calls.
 */
SEC("?fexit/__x64_sys_munmap") int feature_fexit(u64 *ctx)
{
	return 0;
}

/* The tracepoint is there with CONFIG_FTRACE_SYSCALLS. */
SEC("?tp_btf/sys_exit") int feature_sys_exit(u64 *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
