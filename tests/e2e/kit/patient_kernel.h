/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What of target_patient the kernel has a part in: a restartable sequence, a request of io_uring, filters and dispatch of calls. To be included once. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/rseq.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A sequence that sets *begun, lasts until *end is not 0, and is begun again whenever the thread loses the processor. */
__asm__(".text\n"
	"restartable:\n"
	"	lea sequence(%rip), %rax\n"
	"	mov %rax, (%rdi)\n"
	"1:	movl $1, (%rdx)\n"
	"	cmpl $0, (%rsi)\n"
	"	je 1b\n"
	"2:	movq $0, (%rdi)\n"
	"	ret\n"
	"	.byte 0x0f, 0xb9, 0x3d\n" /* ud1, with the signature that the C library has told the kernel */
	"	.long 0x53053053\n"
	"3:	jmp restartable\n"
	".data\n"
	"	.balign 32\n"
	"sequence:\n"
	"	.long 0, 0\n"
	"	.quad 1b, 2b - 1b, 3b\n"
	".text\n");
void restartable(__u64 *sequence, const volatile int *end, volatile int *begun);

/* The thread's own word for the sequence it is in. */
static __u64 *sequence_word(void)
{
	return (__u64 *)((char *)__builtin_thread_pointer() + __rseq_offset + offsetof(struct rseq, rseq_cs));
}

struct ring {
	int fd;
	struct io_uring_params parameters;
	char *queues;
	struct io_uring_sqe *request;
};

static int ring_open(struct ring *ring)
{
	*ring = (struct ring){0};
	ring->fd = (int)syscall(SYS_io_uring_setup, 1, &ring->parameters);
	if (ring->fd < 0)
		return -1;
	ring->queues = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	ring->request =
		mmap(NULL, sizeof(*ring->request), PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQES);
	return ring->queues == MAP_FAILED || (void *)ring->request == MAP_FAILED ? -1 : 0;
}

/* By a thread of the kernel's, which waits for the byte. */
static int ring_read(struct ring *ring, int file, char *byte)
{
	unsigned int *tail = (unsigned int *)(ring->queues + ring->parameters.sq_off.tail);

	*ring->request = (struct io_uring_sqe){
		.opcode = IORING_OP_READ,
		.flags = IOSQE_ASYNC,
		.fd = file,
		.addr = (__u64)(unsigned long)byte,
		.len = 1,
	};
	*(unsigned int *)(ring->queues + ring->parameters.sq_off.array) = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	return (int)syscall(SYS_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0);
}

/* What the request has returned. */
static int ring_result(const struct ring *ring)
{
	const struct io_cqring_offsets *offsets = &ring->parameters.cq_off;
	unsigned int *tail = (unsigned int *)(ring->queues + offsets->tail);
	unsigned int *head = (unsigned int *)(ring->queues + offsets->head);

	while (__atomic_load_n(tail, __ATOMIC_ACQUIRE) == *head)
		usleep(1000);
	return ((struct io_uring_cqe *)(ring->queues + offsets->cqes))->res;
}

/* All threads of the process, the kernel's too. */
static unsigned int thread_count(void)
{
	struct stat status;

	return stat("/proc/self/task", &status) ? 0 : (unsigned int)status.st_nlink - 2;
}

/* A filter that kills for one call. 0, or -1 with errno. */
static int forbid_call(unsigned int number)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(*code), .filter = code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? -1 : 0;
}

/* A call outside of that empty range becomes SIGSYS where the selector says so, which it does not. 0, or -1 with errno. */
static int may_dispatch_calls(void)
{
	static char selector = SYSCALL_DISPATCH_FILTER_ALLOW;

	return prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &selector);
}
