/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What nearly every call runs comes first, in one piece, and falls through to the function's own instructions; what is rare stands behind
 * them.
 */
#include "inline/fast_path.h"

#include <string.h>

#include "inline/code_writer.h"

/* What jumps lead to. */
enum label {
	ORIGINAL,   /* the function's own instructions */
	ALLOCATION, /* of a realloc whose old block is none of ours */
	ODD,	    /* a size of 0, or one that nobody has */
	SLOW,
	KNOWN, /* the filter knows something of the pointer */
};

struct writer {
	struct code_writer code;
	struct fast_path *path;
	bool keeps;
};

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
	_Static_assert(SAMPLER_FILTER_FACTOR < 128, "it is a byte of the instruction, and not negative");
	CODE_PUT(&writer->code, 0x40 | pointer >> 3, 0x6b, 0xc0 | (pointer & 7),
		 SAMPLER_FILTER_FACTOR);			       /* imul $, pointer, %eax: of its lower half */
	CODE_PUT(&writer->code, 0xc1, 0xe8, 32 - SAMPLER_FILTER_BITS); /* shr $, %eax */
	code_put_address(&writer->code, R11, sampler->filter);
	CODE_PUT(&writer->code, 0x41, 0x80, 0x3c, 0x03, 0); /* cmpb $0, (%r11,%rax) */
}

/* rax: the slot's offset, r11: the slots. */
static void put_slot(struct writer *writer, const struct fast_path_sampler *sampler)
{
	_Static_assert(sizeof(struct sampler_slot) == 1 << SAMPLER_SLOT_SHIFT, "the offset is cut out of the hash");
	CODE_PUT(&writer->code, 0x64, 0x69, 0x04, 0x25, 0, 0, 0, 0); /* imul $, %fs:0, %eax */
	code_put_u32(&writer->code, SAMPLER_HASH);
	CODE_PUT(&writer->code, 0xc1, 0xe8, 32 - SAMPLER_SLOT_BITS - SAMPLER_SLOT_SHIFT); /* shr $, %eax */
	CODE_PUT(&writer->code, 0x25);							  /* and $, %eax */
	code_put_u32(&writer->code, (SAMPLER_SLOTS - 1) << SAMPLER_SLOT_SHIFT);
	code_put_address(&writer->code, R11, sampler->slots);
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
	code_put_move(&writer->code, R10, argument_register(function, first));
	CODE_PUT(&writer->code, 0x4c | argument_register(function, second) >> 3, 0x0f, 0xaf,
		 0xd0 | (argument_register(function, second) & 7)); /* imul second, %r10 */
	code_put_branch(&writer->code, OVERFLOW, ORIGINAL);
	return R10;
}

/* Less one, a size of 0 and one of 2^63 and more are negative. */
static void put_count(struct writer *writer, const struct fast_path_sampler *sampler, u8 size)
{
	CODE_PUT(&writer->code, 0x48 | size >> 3, 0x8d, 0x40 | (size & 7), 0xff); /* lea -1(size), %rax */
	if ((size & 7) == 4)
		writer->code.too_far = true; /* rsp and r12 are encoded otherwise, and no argument is in them */
	code_put_test(&writer->code, RAX);
	code_put_branch(&writer->code, NEGATIVE, ODD);
	put_slot(writer, sampler);
	CODE_PUT(&writer->code, 0x49 | (size >> 3) << 2, 0x29, 0x04 | (size & 7) << 3,
		 0x03); /* sub size, (%r11,%rax) */
	code_put_branch(&writer->code, NEGATIVE, SLOW);
}

static void put_depth(struct writer *writer, u8 bytes)
{
	struct fast_path *path = writer->path;

	path->depths[path->depth_count++] =
		(struct fast_path_depth){.address = code_here(&writer->code), .bytes = bytes};
}

/* As a slow path wants it on the stack. Nothing of the caller's is below rsp, as it has called. */
static void put_push(struct writer *writer)
{
	CODE_PUT(&writer->code, 0x50); /* push %rax */
	put_depth(writer, 8);
	CODE_PUT(&writer->code, 0x41, 0x52); /* push %r10 */
	put_depth(writer, 16);
	CODE_PUT(&writer->code, 0x41, 0x53); /* push %r11 */
	put_depth(writer, 24);
	CODE_PUT(&writer->code, 0x9f);		   /* lahf */
	CODE_PUT(&writer->code, 0x0f, 0x90, 0xc0); /* seto %al */
	CODE_PUT(&writer->code, 0x50);		   /* push %rax */
	put_depth(writer, SAMPLER_PUSHED);
}

static void put_pop(struct writer *writer)
{
	CODE_PUT(&writer->code, 0x58); /* pop %rax */
	put_depth(writer, 24);
	CODE_PUT(&writer->code, 0x04, 0x7f); /* add $0x7f, %al: overflows if it is 1 */
	CODE_PUT(&writer->code, 0x9e);	     /* sahf */
	CODE_PUT(&writer->code, 0x41, 0x5b); /* pop %r11 */
	put_depth(writer, 16);
	CODE_PUT(&writer->code, 0x41, 0x5a); /* pop %r10 */
	put_depth(writer, 8);
	CODE_PUT(&writer->code, 0x58); /* pop %rax */
	put_depth(writer, 0);
}

static void put_exit(struct writer *writer, const struct fast_path_sampler *sampler, enum sampler_entry entry)
{
	code_put_address(&writer->code, RAX, writer->code.at);
	CODE_PUT(&writer->code, 0xe9);
	code_put_distance(&writer->code, writer->keeps ? sampler->kept_entries[entry] : sampler->entries[entry]);
}

static s32 distance_of(struct writer *writer, u64 address)
{
	s64 distance = (s64)(address - writer->code.at);

	writer->code.too_far |= distance != (s32)distance;
	return (s32)distance;
}

static const char *put_original(struct writer *writer, const struct fast_path_function *function)
{
	struct sampler_function head = {
		.function = distance_of(writer, function->address),
		.kind = (u8)function->kind,
		.nothrow = function->nothrow ? distance_of(writer, function->nothrow) : 0,
	};
	const char *refusal;

	code_put_label(&writer->code, ORIGINAL);
	if (writer->keeps)
		put_pop(writer);
	head.original = (s32)writer->code.size;
	if (function->kind == CALL_FREE || function->kind == CALL_POSIX_MEMALIGN || function->kind == CALL_REALLOC ||
	    function->kind == CALL_RESIZE || function->kind == CALL_RESIZE_ARRAY)
		head.pointer = function->argument[0];
	memcpy(writer->code.bytes, &head, sizeof(head));
	writer->path->original = code_here(&writer->code);
	refusal = moved_code_make(function->code, function->size, function->address, writer->path->original,
				  function->jump, &writer->path->moved);
	code_put(&writer->code, writer->path->moved.bytes, writer->path->moved.size);
	if (writer->keeps)
		put_depth(writer, SAMPLER_PUSHED);
	return refusal;
}

/* From here on everything is as at the function's entry. */
static const char *put_undo(struct writer *writer, const struct fast_path_function *function)
{
	struct moved_code moved;
	const char *refusal = moved_code_make(function->code, function->size, function->address,
					      code_here(&writer->code), function->jump, &moved);

	code_put(&writer->code, moved.undo, moved.undo_size);
	return refusal;
}

/* --- whole paths ---------------------------------------------------------------------------------------------------- */

static void put_odd(struct writer *writer, const struct fast_path_sampler *sampler, u8 size)
{
	code_put_label(&writer->code, ODD);
	code_put_move(&writer->code, R10, size);
	code_put_test(&writer->code, R10);
	code_put_branch(&writer->code, NOT_EQUAL, ORIGINAL);
	put_slot(writer, sampler);
	CODE_PUT(&writer->code, 0x49, 0x83, 0x2c, 0x03, 1); /* subq $1, (%r11,%rax) */
	code_put_branch(&writer->code, NOT_NEGATIVE, ORIGINAL);
	code_put_label(&writer->code, SLOW);
	code_put_move(&writer->code, R10, size);
	CODE_PUT(&writer->code, 0x49, 0x01, 0xc3); /* add %rax, %r11 */
	put_exit(writer, sampler, SAMPLER_ALLOC);
}

static const char *write_free(struct writer *writer, const struct fast_path_function *function,
			      const struct fast_path_sampler *sampler)
{
	u8 pointer = argument_register(function, 0);
	const char *refusal;

	put_filter(writer, sampler, pointer);
	code_put_branch(&writer->code, NOT_EQUAL, KNOWN);
	refusal = put_original(writer, function);
	code_put_label(&writer->code, KNOWN);
	code_put_move(&writer->code, R10, pointer);
	put_exit(writer, sampler, SAMPLER_FREE);
	return refusal;
}

static const char *write_alloc(struct writer *writer, const struct fast_path_function *function,
			       const struct fast_path_sampler *sampler)
{
	const char *refusal;
	u8 size;

	if (function->kind == CALL_ALIGNED) {
		CODE_PUT(&writer->code, 0x48 | argument_register(function, 0) >> 3, 0x83,
			 0xf8 | (argument_register(function, 0) & 7), 16);
		code_put_branch(&writer->code, BELOW_OR_EQUAL, ORIGINAL); /* malloc counts it */
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

	code_put_label(&writer->code, KNOWN);
	code_put_test(&writer->code, pointer);
	code_put_branch(&writer->code, EQUAL, ALLOCATION);
	/* An array's product has yet to be made; where it overflows, the call fails. */
	size = function->kind == CALL_RESIZE_ARRAY ? put_size(writer, function) : size;
	code_put_move(&writer->code, R10, size);
	if (function->kind == CALL_REALLOC) {
		code_put_test(&writer->code, R10);
		CODE_PUT(&writer->code, 0x75, 3 + 7 + 5); /* jne past the three instructions that follow */
		code_put_move(&writer->code, R10, pointer);
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
		code_put_test(&writer->code, pointer);
		code_put_branch(&writer->code, EQUAL, ORIGINAL);
	}
	put_filter(writer, sampler, pointer);
	code_put_branch(&writer->code, NOT_EQUAL, KNOWN);
	code_put_label(&writer->code, ALLOCATION);
	size = put_size(writer, function);
	put_count(writer, sampler, size);
	refusal = put_original(writer, function);
	if (function->kind == CALL_REALLOC) {
		/* Size 0, or more than there is: neither allocates. */
		code_put_label(&writer->code, ODD);
		code_put_jump(&writer->code, ORIGINAL);
		code_put_label(&writer->code, SLOW);
		code_put_move(&writer->code, R10, size);
		CODE_PUT(&writer->code, 0x49, 0x01, 0xc3); /* add %rax, %r11 */
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

const char *fast_path_make(const struct fast_path_function *function, const struct fast_path_sampler *sampler, u64 at,
			   struct fast_path *ret_path)
{
	struct writer writer = {.path = ret_path, .keeps = function->keeps};
	const char *refusal = NULL;

	memset(ret_path, 0, sizeof(*ret_path));
	writer.code = (struct code_writer){.bytes = ret_path->bytes, .size = sizeof(struct sampler_function), .at = at};
	ret_path->entry = code_here(&writer.code);
	if (function->jump != MOVED_CODE_FIRST)
		refusal = put_undo(&writer, function);
	if (refusal)
		return refusal;
	if (writer.keeps)
		put_push(&writer);
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
	code_resolve(&writer.code);
	ret_path->size = writer.code.size;
	return refusal ? refusal : writer.code.too_far ? "is too far away" : NULL;
}
