/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs at the system calls that map and unmap memory (--mappings), loaded with that option alone: at the kernel's functions for them, or
 * where that cannot be had at the tracepoints of all system calls. A call tells with its stack what it has mapped as it returns, and what it has
 * unmapped with the time of its entry, see struct event_region. x86-64: the kernel's function has the thread's registers as its argument.
 */
#include "vmlinux.h"

#include <bpf/bpf_tracing.h>

#include "filter.bpf.h"
#include "stack.bpf.h"

#define PAGE_BYTES  4096
#define ERRNO_MAX   4095
#define MAP_HUGETLB 0x40000 /* linux/mman.h; no types describe it */

/* What only the entry of a call knows. */
struct region_entry {
	u64 time_ns;
	u64 brk;
	u32 process; /* 0: the thread is in no such call, or is not traced */
	u32 reserved;
};

/* Thread -> its call. The entry makes one, the thread's end deletes it. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct region_entry);
} region_entries SEC(".maps");

static __always_inline bool region_failed(long ret)
{
	return (u64)ret >= -(u64)ERRNO_MAX;
}

static __always_inline u64 region_pages(u64 bytes)
{
	return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

/* --- entries ------------------------------------------------------------------------------------------------------ */

static __always_inline void region_enter(bool brk)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct region_entry *entry;
	struct scope *scope;
	u32 number = 0;

	scope = filter_scope(&number);
	if (!scope || !scope->process)
		return;
	entry = bpf_task_storage_get(&region_entries, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!entry) {
		count(scope->process, COUNTER_MAPPING_LOST);
		return;
	}
	entry->process = scope->process;
	entry->time_ns = bpf_ktime_get_ns();
	if (brk)
		entry->brk = task->mm->brk;
}

/* False: the thread's call was not seen to begin. */
static __always_inline bool region_entered(struct region_entry *ret)
{
	struct region_entry *entry = bpf_task_storage_get(&region_entries, bpf_get_current_task_btf(), NULL, 0);

	if (!entry || !entry->process)
		return false;
	*ret = *entry;
	entry->process = 0;
	return true;
}

/* --- what has been mapped ------------------------------------------------------------------------------------------- */

/* Who calls from where. */
struct region_caller {
	struct stash stash;
	struct unwind_registers at;
	u32 scope;
	u32 reserved;
};

/* A global function, as object_begin is. */
__weak __noinline u64 region_capture(struct region_caller *caller)
{
	u32 number;

	if (!caller)
		return 0;
	number = caller->scope;
	return stack_capture(&caller->at, &caller->stash, bpf_map_lookup_elem(&scopes, &number));
}

/* The stack of the call, whose registers these are. */
static __always_inline u64 region_stack(const struct pt_regs *regs, u32 process, u32 scope)
{
	struct region_caller caller = {
		.stash = {.process = process},
		.at = {.ip = regs->ip, .sp = regs->sp, .bp = regs->bp, .bx = regs->bx},
		.scope = scope,
	};

	return region_capture(&caller);
}

static __always_inline u64 region_stack_of(const struct pt_regs *regs, u32 process)
{
	u32 number = 0;
	struct scope *scope = filter_scope(&number);

	return scope && scope->process == process ? region_stack(regs, process, number) : 0;
}

static long region_note_end(struct task_struct *task, struct vm_area_struct *vma, void *arg)
{
	(void)task;
	*(u64 *)arg = BPF_CORE_READ(vma, vm_end);
	return 0;
}

/* How large a mapping is whose size its call does not tell, and that the kernel never makes one with its neighbour; 0: not known. */
static __always_inline u64 region_size(u64 addr)
{
	u64 end = 0;

	bpf_find_vma(bpf_get_current_task_btf(), addr, region_note_end, &end, 0);
	return end > addr ? end - addr : 0;
}

/* NULL: it is lost, which is counted. */
static __always_inline struct event_region *region_event(u32 process, enum region_call call, u64 entered_ns)
{
	struct event_region *event = NULL;

	count(process, COUNTER_MAPPING_CALLS);
	if (ring_share(process, sizeof(*event)))
		event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (!event) {
		count(process, COUNTER_MAPPING_LOST);
		return NULL;
	}
	emit_header(&event->header, EVENT_REGION, process, 0);
	event->entered_ns = entered_ns;
	event->addr = event->size = event->old_addr = event->old_size = event->stack = 0;
	event->call = call;
	event->flags = 0;
	return event;
}

/* What a call of a traced process has mapped at `ret`; NULL: nothing, nobody's, or lost. */
static __always_inline struct event_region *region_born(const struct pt_regs *regs, enum region_call call, long ret)
{
	struct event_region *event;
	struct scope *scope;
	u32 number = 0, process;
	u64 stack;

	if (region_failed(ret))
		return NULL;
	scope = filter_scope(&number);
	process = scope ? scope->process : 0;
	if (!process)
		return NULL;
	stack = region_stack(regs, process, number);
	event = region_event(process, call, 0);
	if (!event)
		return NULL;
	event->addr = ret;
	event->stack = stack;
	return event;
}

static __always_inline void mmap_leave(const struct pt_regs *regs, long ret)
{
	struct event_region *event = region_born(regs, REGION_MMAP, ret);

	if (!event)
		return;
	event->size = regs->si;
	event->flags = regs->r10;
	/* Rounded up to huge pages, which the call need not name the size of. */
	if (event->flags & MAP_HUGETLB)
		event->size = region_size(ret);
	bpf_ringbuf_submit(event, emit_flags());
}

static __always_inline void shmat_leave(const struct pt_regs *regs, long ret)
{
	struct event_region *event = region_born(regs, REGION_SHMAT, ret);

	if (!event)
		return;
	event->size = region_size(ret);
	bpf_ringbuf_submit(event, emit_flags());
}

/* --- what has been unmapped, or moved --------------------------------------------------------------------------------- */

/* The event of a call that was seen to begin and has succeeded, about the address that it was given; NULL: as above. */
static __always_inline struct event_region *region_gone(const struct pt_regs *regs, enum region_call call, long ret)
{
	struct region_entry entry;
	struct event_region *event;

	if (!region_entered(&entry) || ret)
		return NULL;
	event = region_event(entry.process, call, entry.time_ns);
	if (event)
		event->addr = regs->di;
	return event;
}

static __always_inline void munmap_leave(const struct pt_regs *regs, long ret)
{
	struct event_region *event = region_gone(regs, REGION_MUNMAP, ret);

	if (!event)
		return;
	event->size = regs->si;
	bpf_ringbuf_submit(event, emit_flags());
}

static __always_inline void shmdt_leave(const struct pt_regs *regs, long ret)
{
	struct event_region *event = region_gone(regs, REGION_SHMDT, ret);

	if (event)
		bpf_ringbuf_submit(event, emit_flags());
}

/* One that stays where it is and does not grow maps nothing. */
static __always_inline void mremap_leave(const struct pt_regs *regs, long ret)
{
	struct region_entry entry;
	struct event_region *event;
	u64 stack = 0;

	if (!region_entered(&entry) || region_failed(ret))
		return;
	if ((u64)ret != regs->di || regs->dx > regs->si)
		stack = region_stack_of(regs, entry.process);
	event = region_event(entry.process, REGION_MREMAP, entry.time_ns);
	if (!event)
		return;
	event->addr = ret;
	event->size = regs->dx;
	event->old_addr = regs->di;
	event->old_size = regs->si;
	event->flags = regs->r10;
	event->stack = stack;
	bpf_ringbuf_submit(event, emit_flags());
}

/* A failure, and a question, return the end that the heap has. */
static __always_inline void brk_leave(const struct pt_regs *regs, long ret)
{
	struct region_entry entry;
	struct event_region *event;
	u64 stack = 0;

	if (!region_entered(&entry) || region_pages(entry.brk) == region_pages(ret))
		return;
	if ((u64)ret > entry.brk)
		stack = region_stack_of(regs, entry.process);
	event = region_event(entry.process, REGION_BRK, entry.time_ns);
	if (!event)
		return;
	event->old_addr = entry.brk;
	event->addr = ret;
	event->stack = stack;
	bpf_ringbuf_submit(event, emit_flags());
}

/* --- at the kernel's functions: only who calls them pays ----------------------------------------------------------- */

SEC("?fexit/__x64_sys_mmap") int BPF_PROG(region_mmap, const struct pt_regs *regs, long ret)
{
	mmap_leave(regs, ret);
	return 0;
}

SEC("?fexit/__x64_sys_shmat") int BPF_PROG(region_shmat, const struct pt_regs *regs, long ret)
{
	shmat_leave(regs, ret);
	return 0;
}

SEC("?fentry/__x64_sys_munmap") int BPF_PROG(region_munmap_enter, const struct pt_regs *regs)
{
	(void)regs;
	region_enter(false);
	return 0;
}

SEC("?fexit/__x64_sys_munmap") int BPF_PROG(region_munmap, const struct pt_regs *regs, long ret)
{
	munmap_leave(regs, ret);
	return 0;
}

SEC("?fentry/__x64_sys_shmdt") int BPF_PROG(region_shmdt_enter, const struct pt_regs *regs)
{
	(void)regs;
	region_enter(false);
	return 0;
}

SEC("?fexit/__x64_sys_shmdt") int BPF_PROG(region_shmdt, const struct pt_regs *regs, long ret)
{
	shmdt_leave(regs, ret);
	return 0;
}

SEC("?fentry/__x64_sys_mremap") int BPF_PROG(region_mremap_enter, const struct pt_regs *regs)
{
	(void)regs;
	region_enter(false);
	return 0;
}

SEC("?fexit/__x64_sys_mremap") int BPF_PROG(region_mremap, const struct pt_regs *regs, long ret)
{
	mremap_leave(regs, ret);
	return 0;
}

SEC("?fentry/__x64_sys_brk") int BPF_PROG(region_brk_enter, const struct pt_regs *regs)
{
	(void)regs;
	region_enter(true);
	return 0;
}

SEC("?fexit/__x64_sys_brk") int BPF_PROG(region_brk, const struct pt_regs *regs, long ret)
{
	brk_leave(regs, ret);
	return 0;
}

/* --- at the tracepoints of all system calls: where the others may not be used ------------------------------------------ */

/* arch/x86/entry/syscalls/syscall_64.tbl */
#define NR_MMAP	  9
#define NR_MUNMAP 11
#define NR_BRK	  12
#define NR_MREMAP 25
#define NR_SHMAT  30
#define NR_SHMDT  67

#define TS_COMPAT 2 /* asm/thread_info.h */

/* 32-bit programs have other numbers, and arguments elsewhere. The field is read in place, which takes no helper. */
static __always_inline bool region_is_compat(void)
{
	return bpf_get_current_task_btf()->thread_info.status & TS_COMPAT;
}

SEC("?tp_btf/sys_enter") int BPF_PROG(region_sys_enter, const struct pt_regs *regs, long id)
{
	(void)regs;
	if (id != NR_MUNMAP && id != NR_BRK && id != NR_MREMAP && id != NR_SHMDT)
		return 0;
	if (!region_is_compat())
		region_enter(id == NR_BRK);
	return 0;
}

static __always_inline void region_born_at_exit(const struct pt_regs *regs, u64 id, long ret)
{
	if (region_is_compat())
		return;
	if (id == NR_MMAP)
		mmap_leave(regs, ret);
	else
		shmat_leave(regs, ret);
}

/* The registers have the call's arguments still. A call of which the entry was noted is not one of a 32-bit program. */
SEC("?tp_btf/sys_exit") int BPF_PROG(region_sys_exit, const struct pt_regs *regs, long ret)
{
	u64 id = regs->orig_ax;

	if (id == NR_MMAP || id == NR_SHMAT)
		region_born_at_exit(regs, id, ret);
	else if (id == NR_MUNMAP)
		munmap_leave(regs, ret);
	else if (id == NR_BRK)
		brk_leave(regs, ret);
	else if (id == NR_MREMAP)
		mremap_leave(regs, ret);
	else if (id == NR_SHMDT)
		shmdt_leave(regs, ret);
	return 0;
}
