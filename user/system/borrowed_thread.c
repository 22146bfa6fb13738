/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel is asked to tell of a call's beginning and end. To step through single instructions would need SIGTRAP, and where that is
 * blocked, the kernel takes the process's own handler of it away.
 */
#include "system/borrowed_thread.h"

#include <elf.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/rseq.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stream.h"
#include "system/interruption.h"
#include "system/procfs.h"
#include "system/seccomp_filter.h"
#include "system/signal_frame.h"
#include "system/thread_stop.h"

#define RED_ZONE	    128
#define KERNEL_SIGSET_BYTES 8
#define TRAP_FLAG	    0x100ULL
#define DIRECTION_FLAG	    0x400ULL
#define CODE_64		    0x33
#define AT_SYSTEM_CALL	    (SIGTRAP | 0x80)
#define CALLS_LIMIT_NS	    (2 * 1000000000ULL)
#define HANDLER_STACK	    (64UL << 10)
#define STACK_NEEDED	    (RED_ZONE + SIGNAL_FRAME_MAX + BORROWED_SCRATCH)

/* --- who can ---------------------------------------------------------------------------------------------------------- */

/*
 * A thread's own stack: the process's first one, or one that has the thread's control block at its upper end. Below rsp, another
 * one may hold anything, a coroutine's on the heap for instance.
 */
static bool is_own_stack(const char *line, u64 start, u64 end, const struct user_regs_struct *registers)
{
	if (registers->rsp < start || registers->rsp >= end || registers->rsp - start < STACK_NEEDED)
		return false;
	return strstr(line, "[stack]") || (registers->fs_base > registers->rsp && registers->fs_base < end);
}

/*
 * Within a restartable sequence (rseq(2)) a thread counts on being sent to its beginning when it has lost the processor. The kernel does so
 * when the thread goes on, and gives it up for good if it goes on elsewhere.
 */
static bool is_restartable(const struct stopped_threads *threads, const struct stopped_thread *thread)
{
	struct __ptrace_rseq_configuration rseq = {0};
	struct rseq_cs sequence;
	u64 address;

	if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, thread->tid, sizeof(rseq), &rseq) <= 0 || !rseq.rseq_abi_pointer)
		return false;
	if (pread(threads->memory, &address, sizeof(address),
		  (off_t)(rseq.rseq_abi_pointer + offsetof(struct rseq, rseq_cs))) != sizeof(address))
		return true;
	if (!address)
		return false;
	if (pread(threads->memory, &sequence, sizeof(sequence), (off_t)address) != sizeof(sequence))
		return true;
	return thread->registers.rip - sequence.start_ip < sequence.post_commit_offset;
}

static int find_own_stack(FILE *maps, const struct user_regs_struct *registers)
{
	char *line = NULL;
	size_t room = 0;
	bool found = false;
	int err;

	while (!found && getline(&line, &room, maps) > 0) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx rw", &start, &end) == 2)
			found = is_own_stack(line, start, end, registers);
	}
	err = found ? 0 : stream_read_failure(maps);
	free(line);
	return err ? err : found;
}

int borrowed_thread_can_lend(const struct stopped_threads *threads, const struct stopped_thread *thread)
{
	char path[32];
	FILE *maps;
	int found;

	if (thread->signal || thread->registers.cs != CODE_64 || is_restartable(threads, thread))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/maps", threads->pid);
	maps = fopen(path, "re");
	if (!maps)
		return procfs_failure();
	found = find_own_stack(maps, &thread->registers);
	fclose(maps);
	return found;
}

/* The stack of a signal handler may be a piece of the thread's own one, and have what the handler has interrupted below it. */
static bool is_in_handler(const struct borrowed_thread *borrowed)
{
	u64 words[HANDLER_STACK / sizeof(u64)];
	u64 stack_pointer = borrowed->thread->registers.rsp & ~7ULL;
	ssize_t size = pread(borrowed->threads->memory, words, sizeof(words), (off_t)stack_pointer);

	for (ssize_t i = 0; i < size / (ssize_t)sizeof(u64); i++)
		if (words[i] == borrowed->gate.restorer)
			return true;
	return false;
}

/* --- steps ------------------------------------------------------------------------------------------------------------ */

static int set_registers(struct borrowed_thread *borrowed, const struct user_regs_struct *registers)
{
	int err = ptrace(PTRACE_SETREGS, borrowed->thread->tid, NULL, registers) ? -errno : 0;

	interruption_point();
	return err;
}

static int set_mask(struct borrowed_thread *borrowed, u64 mask)
{
	int err = ptrace(PTRACE_SETSIGMASK, borrowed->thread->tid, KERNEL_SIGSET_BYTES, &mask) ? -errno : 0;

	interruption_point();
	return err;
}

/* Where it finds its way back from. */
static struct user_regs_struct on_the_way(const struct borrowed_thread *borrowed)
{
	struct user_regs_struct registers = borrowed->thread->registers;

	registers.rip = borrowed->gate.restorer;
	registers.rsp = borrowed->frame + 8;
	registers.orig_rax = ~0ULL;
	registers.eflags &= ~(TRAP_FLAG | DIRECTION_FLAG);
	return registers;
}

static int make_frame(struct borrowed_thread *borrowed, struct signal_frame *frame)
{
	u8 xstate[1 << 16];
	const struct user_regs_struct *registers = &borrowed->thread->registers;
	struct iovec vector = {.iov_base = xstate, .iov_len = sizeof(xstate)};
	pid_t tid = borrowed->thread->tid;

	if (ptrace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &vector) ||
	    ptrace(PTRACE_GETSIGMASK, tid, KERNEL_SIGSET_BYTES, &borrowed->mask))
		return -errno;
	return signal_frame_make(registers, borrowed->mask, xstate, vector.iov_len, registers->rsp - RED_ZONE,
				 borrowed->gate.restorer, frame);
}

/* --- what its seccomp filters allow ------------------------------------------------------------------------------------ */

/* Linux 6.4; before, it cannot be asked. With a mode other than 0 a call may become SIGSYS, which is fatal while signals are blocked. */
#define GET_SYSCALL_USER_DISPATCH_CONFIG 0x4211
struct dispatch {
	u64 mode, selector, start, size;
};

static bool may_dispatch(pid_t tid)
{
	struct dispatch dispatch = {0};

	return !ptrace(GET_SYSCALL_USER_DISPATCH_CONFIG, tid, sizeof(dispatch), &dispatch) && dispatch.mode;
}

static bool may_call(const struct borrowed_thread *borrowed, long number, const u64 arguments[BORROWED_ARGUMENTS])
{
	struct seccomp_data data = {
		.nr = (int)number,
		.arch = AUDIT_ARCH_X86_64,
		.instruction_pointer = borrowed->gate.call + sizeof(u16),
	};

	memcpy(data.args, arguments, sizeof(data.args));
	return seccomp_filter_allows(borrowed->thread->tid, &data);
}

/*
 * All that are ever made, before the first of them: what has been begun must come to its end. And what the sampler asks by itself, where the
 * processor has no random numbers.
 */
static bool may_do_all(const struct borrowed_thread *borrowed)
{
	static const long calls[] = {SYS_rt_sigreturn, SYS_socketpair, SYS_recvmsg, SYS_close,
				     SYS_mmap,	       SYS_munmap,     SYS_madvise, SYS_getpid};
	const u64 none[BORROWED_ARGUMENTS] = {0};

	if (procfs_seccomp(borrowed->thread->tid) == SECCOMP_MODE_DISABLED)
		return true;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (!may_call(borrowed, calls[i], none))
			return false;
	return true;
}

int borrowed_thread_begin(struct stopped_threads *threads, const struct call_gate *gate,
			  struct borrowed_thread *ret_borrowed)
{
	struct signal_frame frame = {0};
	struct user_regs_struct registers;
	int err;

	*ret_borrowed = (struct borrowed_thread){.threads = threads, .thread = &threads->threads[0], .gate = *gate};
	if (!may_do_all(ret_borrowed) || may_dispatch(ret_borrowed->thread->tid))
		return -EACCES;
	if (procfs_has_shadow_stack(ret_borrowed->thread->tid))
		return -EOPNOTSUPP;
	if (!call_gate_holds(threads->memory, gate))
		return -ENOEXEC;
	if (is_in_handler(ret_borrowed))
		return -EAGAIN;
	err = make_frame(ret_borrowed, &frame);
	if (err)
		return err;
	ret_borrowed->frame = frame.address;
	ret_borrowed->scratch = (frame.address - BORROWED_SCRATCH) & ~15ULL;
	if (pwrite(threads->memory, frame.bytes, frame.size, (off_t)frame.address) != (ssize_t)frame.size)
		return -EFAULT;
	interruption_point();
	/* It must be given the processor for each call, and the others run meanwhile. */
	threads->until_ns = clock_now_ns() + CALLS_LIMIT_NS;
	/* First the way back, then what it leads back from. */
	registers = on_the_way(ret_borrowed);
	err = set_registers(ret_borrowed, &registers);
	return err ? err : set_mask(ret_borrowed, ~0ULL);
}

/*
 * Until the next stop at a system call, or else the next one with an event. SIGSTOP cannot be blocked: what it leads to is put off until
 * the thread is let go. Another signal comes through the mask only if the kernel forces it, as when the code was unmapped meanwhile, and would
 * end the process: it is not passed on.
 */
static int run_to(struct borrowed_thread *borrowed, int request, bool system_call)
{
	pid_t tid = borrowed->thread->tid;
	struct thread_stop stop = {0};
	int err, pass = 0;

	do {
		if (ptrace(request, tid, NULL, (long)pass))
			return -errno;
		interruption_point();
		err = thread_stop_wait(tid, borrowed->threads->until_ns, &stop);
		pass = stop.event || stop.signal == AT_SYSTEM_CALL ? 0 : stop.signal;
		borrowed->forced = !err && pass && pass != SIGSTOP;
		err = borrowed->forced ? -EFAULT : err;
	} while (!err && (system_call ? stop.signal != AT_SYSTEM_CALL : stop.event != PTRACE_EVENT_STOP));
	return err;
}

int borrowed_thread_call(struct borrowed_thread *borrowed, long number, const u64 arguments[BORROWED_ARGUMENTS],
			 s64 *ret_result)
{
	struct user_regs_struct registers = on_the_way(borrowed);
	int err;

	if (borrowed->err)
		return borrowed->err;
	if (!may_call(borrowed, number, arguments))
		return -EACCES;
	registers.rip = borrowed->gate.call;
	registers.rsp = borrowed->frame;
	registers.rax = (u64)number;
	registers.rdi = arguments[0];
	registers.rsi = arguments[1];
	registers.rdx = arguments[2];
	registers.r10 = arguments[3];
	registers.r8 = arguments[4];
	registers.r9 = arguments[5];
	err = set_registers(borrowed, &registers);
	borrowed->ran = true;
	for (int stops = 0; stops < 2 && !err; stops++)
		err = run_to(borrowed, PTRACE_SYSCALL, true);
	if (!err && ptrace(PTRACE_GETREGS, borrowed->thread->tid, NULL, &registers))
		err = -errno;
	*ret_result = (s64)registers.rax;
	borrowed->err = err;
	return err;
}

/*
 * Where a call was interrupted, only the kernel knows how it goes on, and asks itself when the thread goes on from a stop like the one
 * it was found in.
 */
static int stop_again(struct borrowed_thread *borrowed)
{
	if (ptrace(PTRACE_INTERRUPT, borrowed->thread->tid, NULL, NULL))
		return -errno;
	return run_to(borrowed, PTRACE_CONT, false);
}

int borrowed_thread_end(struct borrowed_thread *borrowed)
{
	int err = borrowed->err ? borrowed->err : borrowed->ran ? stop_again(borrowed) : 0, set_err;

	/* The registers are the last: until then the way back leads by the frame, which has the mask too. */
	if (err && !borrowed->forced)
		return err;
	set_err = set_mask(borrowed, borrowed->mask);
	set_err = set_err ? set_err : set_registers(borrowed, &borrowed->thread->registers);
	return err ? err : set_err;
}
