/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The layout is the kernel's: struct rt_sigframe and struct _fpstate (asm/sigcontext.h), which is the processor's XSAVE area. */
#include "system/signal_frame.h"

#include <asm/sigcontext.h>
#include <cpuid.h>
#include <errno.h>
#include <string.h>

#define XSTATE_MASK_AT                                                                                                 \
	464 /* of the features that the kernel saves, in the words that the processor leaves to software */
#define XSTATE_HEADER_AT 512 /* which features have a state */
#define XSTATE_MIN	 576
#define TILE_FEATURES	 (3ULL << 17)
#define FEATURES	 63

/* Some of ucontext's flags; asm/ucontext.h and signal.h both define what asm/sigcontext.h does. */
#define FP_XSTATE	  1
#define SIGCONTEXT_SS	  2
#define STRICT_RESTORE_SS 4

/* What the kernel calls struct rt_sigframe, without what rt_sigreturn does not read. */
struct frame_head {
	u64 return_address;
	u64 flags, link;
	struct {
		u64 base;
		s32 flags;
		u64 size;
	} stack;
	struct sigcontext_64 context;
	u64 mask;
	u8 information[128];
};

_Static_assert(sizeof(struct sigcontext_64) == 256, "as on x86-64");

/* How a system call that was interrupted has left rax; the kernel keeps these to itself. */
static bool is_restarted(s64 result)
{
	return result == -512 || result == -513 || result == -514 || result == -516;
}

static void put_registers(const struct user_regs_struct *from, struct sigcontext_64 *to)
{
	bool again = (s64)from->orig_rax >= 0 && is_restarted((s64)from->rax);

	*to = (struct sigcontext_64){
		.r8 = from->r8,
		.r9 = from->r9,
		.r10 = from->r10,
		.r11 = from->r11,
		.r12 = from->r12,
		.r13 = from->r13,
		.r14 = from->r14,
		.r15 = from->r15,
		.di = from->rdi,
		.si = from->rsi,
		.bp = from->rbp,
		.bx = from->rbx,
		.dx = from->rdx,
		.cx = from->rcx,
		.sp = from->rsp,
		.ax = again ? from->orig_rax : from->rax,
		.ip = again ? from->rip - 2 : from->rip,
		.flags = from->eflags,
		.cs = (u16)from->cs,
		.gs = 0,
		.fs = 0,
		.ss = (u16)from->ss,
	};
}

/* Bytes that the features without AMX take in the standard form of the area. */
static u32 area_size(u64 features)
{
	u32 size = XSTATE_MIN;

	for (u32 feature = 2; feature < FEATURES; feature++) {
		unsigned int bytes, offset, ecx, edx;

		if (!(features >> feature & 1) || !__get_cpuid_count(0xd, feature, &bytes, &offset, &ecx, &edx))
			continue;
		size = offset + bytes > size ? offset + bytes : size;
	}
	return size;
}

/* 0, or bytes of the area, without the word behind it. */
static u32 put_xstate(const u8 *xstate, size_t xstate_size, u8 *area)
{
	struct _fpx_sw_bytes *words = (struct _fpx_sw_bytes *)(area + XSTATE_MASK_AT);
	const u32 end = FP_XSTATE_MAGIC2;
	u64 features, used;
	u32 size;

	if (xstate_size < XSTATE_MIN)
		return 0;
	memcpy(&features, xstate + XSTATE_MASK_AT, sizeof(features));
	memcpy(&used, xstate + XSTATE_HEADER_AT, sizeof(used));
	features &= ~TILE_FEATURES;
	size = area_size(features);
	if (used & TILE_FEATURES || size > xstate_size || size > SIGNAL_FRAME_XSTATE_MAX - sizeof(end))
		return 0;
	memcpy(area, xstate, size);
	memset(words, 0, sizeof(*words));
	words->magic1 = FP_XSTATE_MAGIC1;
	words->extended_size = size + FP_XSTATE_MAGIC2_SIZE;
	words->xfeatures = features;
	words->xstate_size = size;
	memcpy(area + size, &end, sizeof(end));
	return size;
}

int signal_frame_make(const struct user_regs_struct *registers, u64 mask, const u8 *xstate, size_t xstate_size, u64 top,
		      u64 restorer, struct signal_frame *ret_frame)
{
	u8 area[SIGNAL_FRAME_XSTATE_MAX] __attribute__((aligned(64)));
	u32 area_bytes = put_xstate(xstate, xstate_size, area);
	struct frame_head head = {
		.return_address = restorer,
		.flags = FP_XSTATE | SIGCONTEXT_SS | STRICT_RESTORE_SS,
		/* A signal stack that cannot be: the thread's own stays. */
		.stack.flags = ~0,
		.mask = mask,
	};
	u64 place;

	if (!area_bytes)
		return -EOPNOTSUPP;
	put_registers(registers, &head.context);
	place = (top - area_bytes - FP_XSTATE_MAGIC2_SIZE) & ~63ULL;
	head.context.fpstate = place;
	ret_frame->address = ((place - sizeof(head)) & ~15ULL) - 8;
	ret_frame->size = (u32)(place - ret_frame->address) + area_bytes + FP_XSTATE_MAGIC2_SIZE;
	memset(ret_frame->bytes, 0, ret_frame->size);
	memcpy(ret_frame->bytes, &head, sizeof(head));
	memcpy(ret_frame->bytes + (place - ret_frame->address), area, area_bytes + FP_XSTATE_MAGIC2_SIZE);
	return 0;
}
