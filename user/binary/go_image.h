/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What Go's linker leaves in a program, stripped or not: the version of Go (section .go.buildinfo, cmd/link/internal/ld/data.go and
 * debug/buildinfo), the table of functions and lines (pclntab, see go_lines.h), and the sections with the runtime's variables.
 * Addresses are as linked: a program that is position-independent runs elsewhere.
 */
#include "binary/elf.h"

#define GO_VERSION_SIZE 48
#define GO_SECTIONS_MAX 8
#define GO_SEGMENTS_MAX 32
#define GO_LINES_MAX	(256u << 20) /* bytes of a pclntab; Kubernetes' have some 40 MiB */
#define GO_LINES_HEADER 72	     /* bytes of its header, in Go 1.18 to 1.27 */

struct go_extent {
	u64 vaddr, offset, size; /* offset: in the file */
};

struct go_image {
	char version[GO_VERSION_SIZE]; /* "go1.19.8" */
	unsigned int minor;	       /* 19; 0: no release that is known by its name */
	struct go_extent lines;	       /* pclntab, perhaps with something else behind it; size 0: none was found */
	struct go_extent data[GO_SECTIONS_MAX]; /* initialised variables: runtime.firstmoduledata is in one of them */
	unsigned int data_count;
	struct go_extent segments[GO_SEGMENTS_MAX]; /* all that the file loads */
	unsigned int segment_count;
};

/*
 * 0; -ENOENT: it is no Go program; -ENOTSUP: Go older than 1.18, whose version stands elsewhere; -EBADMSG: corrupt; or an error
 * of reading.
 */
int go_image_read(const struct elf *elf, struct go_image *ret_image);

/* Read `size` bytes that are loaded at `vaddr`. 0, -ENOENT: the file has no such bytes, or an error of reading. */
int go_image_bytes(const struct elf *elf, const struct go_image *image, u64 vaddr, void *buffer, size_t size);

/* Does a table of functions and lines begin there, as far as its header tells? `room`: bytes from there to the end of its section. */
bool go_image_is_lines(const u8 header[GO_LINES_HEADER], u64 room);
