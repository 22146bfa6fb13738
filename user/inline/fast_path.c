/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What nearly every call runs comes first, in one piece, and falls through to the function's own instructions; what is rare stands behind
 * them.
 */
#include "inline/fast_path.h"

#include <string.h>

/* As instructions number them. */
enum {
	RAX = 0,
	R10 = 10,
	R11 = 11
};

enum label {
	ORIGINAL,   /* the function's own instructions */
	ALLOCATION, /* of a realloc whose old block is none of ours */
	ODD,	    /* a size of 0, or one that nobody has */
	SLOW,
	KNOWN, /* the filter knows something of the pointer */
	LABELS
};

#define JUMPS_MAX 12

/* How an instruction's one byte of condition goes on: jcc is 0f 80+. */
enum condition {
	OVERFLOW = 0x0,
	EQUAL = 0x4,
	NOT_EQUAL = 0x5,
	BELOW_OR_EQUAL = 0x6,
	NEGATIVE = 0x8,
	NOT_NEGATIVE = 0x9
};

struct writer {
	struct fast_path *path;
	u64 at;
	u32 places[LABELS];
	struct {
		u32 place; /* of the displacement */
		enum label label;
	} jumps[JUMPS_MAX];
	unsigned int jump_count;
	bool too_far;
};

/* --- instructions --------------------------------------------------------------------------------------------------- */

static void put(struct writer *writer, const void *bytes, size_t size)
{
	memcpy(writer->path->bytes + writer->path->size, bytes, size);
	writer->path->size += (u32)size;
}

#define PUT(writer, ...) put(writer, (const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__}))

static void put_u32(struct writer *writer, u32 value)
{
	put(writer, &value, sizeof(value));
}

static u64 here(const struct writer *writer)
{
	return writer->at + writer->path->size;
}

/* A displacement, which ends the instruction. */
static void put_distance(struct writer *writer, u64 target)
{
	s64 distance = (s64)(target - (here(writer) + sizeof(s32)));

	writer->too_far |= distance != (s32)distance;
	put_u32(writer, (u32)distance);
}

/* An operation of 64 bits on two registers; `reg` and `rm` as the opcode has them. */
static void put_registers(struct writer *writer, u8 opcode, u8 reg, u8 rm)
{
	PUT(writer, 0x48 | (reg >> 3) << 2 | rm >> 3, opcode, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

static void put_move(struct writer *writer, u8 to, u8 from)
{
	if (to != from)
		put_registers(writer, 0x89, from, to);
}

static void put_test(struct writer *writer, u8 reg)
{
	put_registers(writer, 0x85, reg, reg);
}

static void put_label_distance(struct writer *writer, enum label label)
{
	writer->jumps[writer->jump_count].place = writer->path->size;
	writer->jumps[writer->jump_count++].label = label;
	put_u32(writer, 0);
}

static void put_branch(struct writer *writer, enum condition condition, enum label label)
{
	PUT(writer, 0x0f, 0x80 | condition);
	put_label_distance(writer, label);
}

static void put_jump(struct writer *writer, enum label label)
{
	PUT(writer, 0xe9);
	put_label_distance(writer, label);
}

static void put_address(struct writer *writer, u8 to, u64 address)
{
	PUT(writer, 0x48 | (to >> 3) << 2, 0x8d, 0x05 | (to & 7) << 3);
	put_distance(writer, address);
}

static void put_label(struct writer *writer, enum label label)
{
	writer->places[label] = writer->path->size;
}

/* --- parts ---------------------------------------------------------------------------------------------------------- */

/* The calling convention's registers: rdi, rsi, rdx, rcx, r8, r9. */
static u8 argument_register(const struct fast_path_function *function, unsigned int which)
{
	static const u8 registers[] = {7, 6, 2, 1, 8, 9};

	return registers[function->argument[which] - 1];
}

/* rax: the filter's index, r11: the filter, and the flags of its byte. */
static void put_filter(struct writer *writer, const struct fast_path_sampler *sampler, u8 pointer)
{
	PUT(writer, 0x40 | pointer >> 3, 0x69, 0xc0 | (pointer & 7)); /* imul $, pointer, %eax: of its lower half */
	put_u32(writer, SAMPLER_HASH);
	PUT(writer, 0xc1, 0xe8, 32 - SAMPLER_FILTER_BITS); /* shr $, %eax */
	put_address(writer, R11, sampler->filter);
	PUT(writer, 0x41, 0x80, 0x3c, 0x03, 0); /* cmpb $0, (%r11,%rax) */
}

/* rax: the slot's offset, r11: the slots. */
static void put_slot(struct writer *writer, const struct fast_path_sampler *sampler)
{
	_Static_assert(sizeof(struct sampler_slot) == 1 << SAMPLER_SLOT_SHIFT, "the offset is cut out of the hash");
	PUT(writer, 0x64, 0x69, 0x04, 0x25, 0, 0, 0, 0); /* imul $, %fs:0, %eax */
	put_u32(writer, SAMPLER_HASH);
	PUT(writer, 0xc1, 0xe8, 32 - SAMPLER_SLOT_BITS - SAMPLER_SLOT_SHIFT); /* shr $, %eax */
	PUT(writer, 0x25);						      /* and $, %eax */
	put_u32(writer, (SAMPLER_SLOTS - 1) << SAMPLER_SLOT_SHIFT);
	put_address(writer, R11, sampler->slots);
}

/* In which argument, or in r10, the size is. */
static u8 put_size(struct writer *writer, const struct fast_path_function *function)
{
	unsigned int first = 0, second = 1;

	switch (function->kind) {
	case CALL_MALLOC:
	case CALL_NEW:
		return argument_register(function, 0);
	case CALL_REALLOC:
	case CALL_RESIZE:
	case CALL_ALIGNED:
	case CALL_POSIX_MEMALIGN:
		return argument_register(function, 1);
	case CALL_RESIZE_ARRAY:
		first = 1;
		second = 2;
		break;
	default:
		break;
	}
	put_move(writer, R10, argument_register(function, first));
	PUT(writer, 0x4c | argument_register(function, second) >> 3, 0x0f, 0xaf,
	    0xd0 | (argument_register(function, second) & 7)); /* imul second, %r10 */
	put_branch(writer, OVERFLOW, ORIGINAL);
	return R10;
}

/* Less one, a size of 0 and one of 2^63 and more are negative. */
static void put_count(struct writer *writer, const struct fast_path_sampler *sampler, u8 size)
{
	PUT(writer, 0x48 | size >> 3, 0x8d, 0x40 | (size & 7), 0xff); /* lea -1(size), %rax */
	if ((size & 7) == 4)
		writer->too_far = true; /* rsp and r12 are encoded otherwise, and no argument is in them */
	put_test(writer, RAX);
	put_branch(writer, NEGATIVE, ODD);
	put_slot(writer, sampler);
	PUT(writer, 0x49 | (size >> 3) << 2, 0x29, 0x04 | (size & 7) << 3, 0x03); /* sub size, (%r11,%rax) */
	put_branch(writer, NEGATIVE, SLOW);
}

static void put_exit(struct writer *writer, const struct fast_path_sampler *sampler, enum sampler_entry entry)
{
	put_address(writer, RAX, writer->at);
	PUT(writer, 0xe9);
	put_distance(writer, sampler->entries[entry]);
}

static const char *put_original(struct writer *writer, const struct fast_path_function *function)
{
	struct sampler_function head = {
		.original = (s32)writer->path->size,
		.function = (s32)(function->address - writer->at),
		.kind = (u8)function->kind,
	};
	const char *refusal;

	if (function->kind == CALL_FREE || function->kind == CALL_POSIX_MEMALIGN || function->kind == CALL_REALLOC ||
	    function->kind == CALL_RESIZE || function->kind == CALL_RESIZE_ARRAY)
		head.pointer = function->argument[0];
	memcpy(writer->path->bytes, &head, sizeof(head));
	put_label(writer, ORIGINAL);
	refusal =
		moved_code_make(function->code, function->size, function->address, here(writer), &writer->path->moved);
	put(writer, writer->path->moved.bytes, writer->path->moved.size);
	return refusal;
}

/* --- whole paths ---------------------------------------------------------------------------------------------------- */

static void put_odd(struct writer *writer, const struct fast_path_sampler *sampler, u8 size)
{
	put_label(writer, ODD);
	put_move(writer, R10, size);
	put_test(writer, R10);
	put_branch(writer, NOT_EQUAL, ORIGINAL);
	put_slot(writer, sampler);
	PUT(writer, 0x49, 0x83, 0x2c, 0x03, 1); /* subq $1, (%r11,%rax) */
	put_branch(writer, NOT_NEGATIVE, ORIGINAL);
	put_label(writer, SLOW);
	put_move(writer, R10, size);
	PUT(writer, 0x49, 0x01, 0xc3); /* add %rax, %r11 */
	put_exit(writer, sampler, SAMPLER_ALLOC);
}

static const char *write_free(struct writer *writer, const struct fast_path_function *function,
			      const struct fast_path_sampler *sampler)
{
	u8 pointer = argument_register(function, 0);
	const char *refusal;

	put_filter(writer, sampler, pointer);
	put_branch(writer, NOT_EQUAL, KNOWN);
	refusal = put_original(writer, function);
	put_label(writer, KNOWN);
	put_move(writer, R10, pointer);
	put_exit(writer, sampler, SAMPLER_FREE);
	return refusal;
}

static const char *write_alloc(struct writer *writer, const struct fast_path_function *function,
			       const struct fast_path_sampler *sampler)
{
	const char *refusal;
	u8 size;

	if (function->kind == CALL_ALIGNED) {
		PUT(writer, 0x48 | argument_register(function, 0) >> 3, 0x83,
		    0xf8 | (argument_register(function, 0) & 7), 16);
		put_branch(writer, BELOW_OR_EQUAL, ORIGINAL); /* malloc counts it */
	}
	size = put_size(writer, function);
	put_count(writer, sampler, size);
	refusal = put_original(writer, function);
	put_odd(writer, sampler, size);
	return refusal;
}

/* glibc's realloc of NULL goes on in malloc, which counts it, and of size 0 it frees; elsewhere the result tells. */
static void put_known(struct writer *writer, const struct fast_path_function *function,
		      const struct fast_path_sampler *sampler, u8 size)
{
	u8 pointer = argument_register(function, 0);

	put_label(writer, KNOWN);
	put_test(writer, pointer);
	put_branch(writer, EQUAL, ALLOCATION);
	/* Of an array the product has yet to be made; where it overflows, the call fails. */
	size = function->kind == CALL_RESIZE_ARRAY ? put_size(writer, function) : size;
	put_move(writer, R10, size);
	if (function->kind == CALL_REALLOC) {
		put_test(writer, R10);
		PUT(writer, 0x75, 3 + 7 + 5); /* jne past the three instructions that follow */
		put_move(writer, R10, pointer);
		put_exit(writer, sampler, SAMPLER_FREE);
	}
	put_exit(writer, sampler, SAMPLER_MOVING);
}

static const char *write_resize(struct writer *writer, const struct fast_path_function *function,
				const struct fast_path_sampler *sampler)
{
	u8 pointer = argument_register(function, 0), size;
	const char *refusal;

	if (function->kind == CALL_REALLOC) {
		put_test(writer, pointer);
		put_branch(writer, EQUAL, ORIGINAL);
	}
	put_filter(writer, sampler, pointer);
	put_branch(writer, NOT_EQUAL, KNOWN);
	put_label(writer, ALLOCATION);
	size = put_size(writer, function);
	put_count(writer, sampler, size);
	refusal = put_original(writer, function);
	if (function->kind == CALL_REALLOC) {
		/* Of size 0, or more than there is: neither allocates. */
		put_label(writer, ODD);
		put_jump(writer, ORIGINAL);
		put_label(writer, SLOW);
		put_move(writer, R10, size);
		PUT(writer, 0x49, 0x01, 0xc3); /* add %rax, %r11 */
		put_exit(writer, sampler, SAMPLER_ALLOC);
	} else {
		put_odd(writer, sampler, size);
	}
	put_known(writer, function, sampler, size);
	return refusal;
}

/* How much a string asks for is known when it has been copied. */
static const char *write_duplicate(struct writer *writer, const struct fast_path_function *function,
				   const struct fast_path_sampler *sampler)
{
	put_exit(writer, sampler, SAMPLER_ALLOC);
	return put_original(writer, function);
}

static void resolve(struct writer *writer)
{
	for (unsigned int i = 0; i < writer->jump_count; i++) {
		u32 place = writer->jumps[i].place, distance = writer->places[writer->jumps[i].label] - (place + 4);

		memcpy(writer->path->bytes + place, &distance, sizeof(distance));
	}
}

const char *fast_path_make(const struct fast_path_function *function, const struct fast_path_sampler *sampler, u64 at,
			   struct fast_path *ret_path)
{
	struct writer writer = {.path = ret_path, .at = at};
	const char *refusal;
	s64 distance;

	memset(ret_path, 0, sizeof(*ret_path));
	ret_path->size = sizeof(struct sampler_function);
	ret_path->entry = at + ret_path->size;
	switch (function->kind) {
	case CALL_FREE:
		refusal = write_free(&writer, function, sampler);
		break;
	case CALL_REALLOC:
	case CALL_RESIZE:
	case CALL_RESIZE_ARRAY:
		refusal = write_resize(&writer, function, sampler);
		break;
	case CALL_MALLOC:
	case CALL_CALLOC:
	case CALL_ALIGNED:
	case CALL_POSIX_MEMALIGN:
	case CALL_NEW:
	case CALL_NEW_ARRAY:
		refusal = write_alloc(&writer, function, sampler);
		break;
	case CALL_DUPLICATE:
		refusal = write_duplicate(&writer, function, sampler);
		break;
	default:
		return "hands calls on to another function";
	}
	resolve(&writer);
	distance = (s64)(function->address - at);
	return refusal ? refusal : writer.too_far || distance != (s32)distance ? "is too far away" : NULL;
}
