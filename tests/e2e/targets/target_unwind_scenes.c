/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes stacks hard, a scene each: `target_unwind_scenes SCENE`. It says what came out, so that a run under
 * heaptap can be held against one without. All sizes are larger by SCENES_MORE, so that a sampler takes every call.
 */
#include <alloca.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "below.h"

#define ROUNDS	    1000
#define STACK_BYTES (256 << 10)

static unsigned long sum;
static size_t more;

__attribute__((noinline)) static void allocate(size_t size)
{
	void *block = malloc(size + more);

	__asm__ volatile("" : "+r"(block) : : "memory");
	sum += block ? size : 0;
	free(block);
}

static void on_signal(int number)
{
	allocate(100 + (size_t)number);
}

static void raise_usr1(void)
{
	raise(SIGUSR1);
	allocate(3);
}

/* Struck at the first instruction of a function, where nothing of its frame is set up yet; ud2 is two bytes. */
static void on_illegal(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info;
	allocate(300);
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

void struck_at_entry(void);
__asm__(".text\n"
	".type struck_at_entry, @function\n"
	"struck_at_entry:\n"
	".cfi_startproc\n"
	"ud2\n"
	"push %rbp\n"
	".cfi_adjust_cfa_offset 8\n"
	".cfi_rel_offset %rbp, 0\n"
	"ud2\n"
	"pop %rbp\n"
	".cfi_adjust_cfa_offset -8\n"
	".cfi_restore %rbp\n"
	"ud2\n"
	"ret\n"
	".cfi_endproc\n"
	".size struck_at_entry, . - struck_at_entry\n");

static void strike(void)
{
	struck_at_entry();
	allocate(4);
}

static void scene_signals(int flags)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};

	sigaction(SIGUSR1, &action, NULL);
	action.sa_sigaction = on_illegal;
	action.sa_flags = flags | SA_SIGINFO;
	sigaction(SIGILL, &action, NULL);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		below(i % 20, raise_usr1);
		below(i % 20, strike);
	}
}

static void scene_signal(void)
{
	scene_signals(0);
}

static void scene_altstack(void)
{
	static char room[STACK_BYTES];
	stack_t stack = {.ss_sp = room, .ss_size = sizeof(room)};

	sigaltstack(&stack, NULL);
	scene_signals(SA_ONSTACK);
}

static sigjmp_buf back;

static void on_jump(int number)
{
	allocate(200 + (size_t)number);
	siglongjmp(back, 1);
}

static void scene_longjmp(void)
{
	struct sigaction action = {.sa_handler = on_jump};

	sigaction(SIGUSR1, &action, NULL);
	for (volatile unsigned int i = 0; i < ROUNDS; i++) {
		if (!sigsetjmp(back, 1))
			below(i % 20, raise_usr1);
		allocate(i % 50 + 1);
	}
}

static jmp_buf there_and_back;

static void jump(void)
{
	allocate(201);
	longjmp(there_and_back, 1);
}

static void scene_jump(void)
{
	for (volatile unsigned int i = 0; i < ROUNDS; i++) {
		if (!setjmp(there_and_back))
			below(i % 20, jump);
		allocate(i % 50 + 1);
	}
}

static void allocate_five(void)
{
	allocate(5);
}

__attribute__((noinline)) static void grow(unsigned int frames)
{
	char *room = alloca(frames % 300 + 8);

	room[0] = (char)frames;
	__asm__ volatile("" : : "r"(room) : "memory");
	allocate(frames + 1);
	if (frames)
		grow(frames - 1);
	sum += (unsigned char)room[0];
}

static void scene_alloca(void)
{
	for (unsigned int i = 0; i < ROUNDS / 10; i++)
		grow(i % 60);
}

static void scene_deep(void)
{
	for (unsigned int i = 0; i < ROUNDS; i++)
		below(100 + i % 300, allocate_five);
}

/* What a thread leaves behind allocates when its thread ends, and leaves something behind again. */
static pthread_key_t key;

static void on_thread_end(void *value)
{
	uintptr_t left = (uintptr_t)value;

	below(left * 3, allocate_five);
	if (left > 1)
		pthread_setspecific(key, (void *)(left - 1));
}

static void *leave_behind(void *arg)
{
	pthread_setspecific(key, arg);
	return NULL;
}

static void scene_thread_end(void)
{
	pthread_key_create(&key, on_thread_end);
	for (int i = 0; i < ROUNDS / 5; i++) {
		pthread_t thread;

		/* One after the other, so that the sum is no race. */
		if (pthread_create(&thread, NULL, leave_behind, (void *)(uintptr_t)3))
			return;
		pthread_join(thread, NULL);
	}
}

static ucontext_t here, there;

static void coroutine(void)
{
	for (;;) {
		below(7, allocate_five);
		swapcontext(&there, &here);
	}
}

static void scene_ucontext(void)
{
	static char room[STACK_BYTES];

	getcontext(&there);
	there.uc_stack.ss_sp = room;
	there.uc_stack.ss_size = sizeof(room);
	there.uc_link = &here;
	makecontext(&there, coroutine, 0);
	for (int i = 0; i < ROUNDS; i++) {
		swapcontext(&here, &there);
		allocate(6);
	}
}

/* The stack pointer rounded down, the frame found by way of another register. */
__attribute__((noinline)) static void realigned(unsigned int frames)
{
	char room[128] __attribute__((aligned(128)));
	char *more = alloca(frames + 1);

	memset(room, (int)frames, sizeof(room));
	__asm__ volatile("" : : "r"(room), "r"(more) : "memory");
	allocate(frames + 1);
	if (frames)
		realigned(frames - 1);
	sum += (unsigned char)room[1] + ((uintptr_t)room & 127);
}

static void scene_realign(void)
{
	for (unsigned int i = 0; i < ROUNDS / 10; i++)
		realigned(i % 40);
}

/* The child runs on the parent's stack and heap; what it allocates is its own business. */
static void fork_and_allocate(void)
{
	pid_t child = vfork();

	if (!child) {
		allocate(700);
		_exit(3);
	}
	allocate(7);
	if (child > 0) {
		int status = 0;

		waitpid(child, &status, 0);
		sum += (unsigned int)WEXITSTATUS(status);
	}
}

static void scene_vfork(void)
{
	for (unsigned int i = 0; i < ROUNDS / 10; i++)
		below(i % 20, fork_and_allocate);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*play)(void);
	} scenes[] = {{"signal", scene_signal},	       {"altstack", scene_altstack}, {"longjmp", scene_longjmp},
		      {"alloca", scene_alloca},	       {"deep", scene_deep},	     {"ucontext", scene_ucontext},
		      {"realign", scene_realign},      {"vfork", scene_vfork},	     {"jump", scene_jump},
		      {"thread-end", scene_thread_end}};
	const char *bytes = getenv("SCENES_MORE");

	more = bytes ? strtoul(bytes, NULL, 10) : 0;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++) {
		if (argc == 2 && !strcmp(argv[1], scenes[i].name)) {
			scenes[i].play();
			printf("%s %lu\n", argv[1], sum);
			return 7;
		}
	}
	return 2;
}
