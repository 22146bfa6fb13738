/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame_role.c and sites.c: whose a frame is by its names and its file, and which frame of a stack is the site. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "profile/frame_role.h"
#include "profile/sites.h"

#define LINES_MAX 3

enum {
	PROGRAM,
	LIBC,
	PYTHON,
	GENERATED
};

static struct profile_mapping mappings[] = {
	[PROGRAM] = {.path = (char *)"/usr/bin/server"},
	[LIBC] = {.path = (char *)"/usr/lib/x86_64-linux-gnu/libc.so.6"},
	[PYTHON] = {.path = (char *)"/usr/bin/python3.11"},
	[GENERATED] = {.path = (char *)"//anon"},
};

/* Where it is, and its lines, innermost inlined first: name, file. */
struct frame {
	unsigned int mapping;
	const char *lines[LINES_MAX][2];
};

#define FRAME(mapping_, name)                                                                                          \
	{                                                                                                              \
		.mapping = (mapping_), .lines = { {(name), NULL} }                                                     \
	}

#define DEPTH_MAX 8

static struct profile_site *sites;

/* The name of the site's line, "" for code without one; *ret_frame: where in the stack, leaf first. Until the next call. */
static const char *site_of(const struct frame *stack, u32 depth, const regex_t *skip, u32 *ret_frame)
{
	static struct profile_line lines[DEPTH_MAX][LINES_MAX];
	static struct profile_location locations[DEPTH_MAX];
	static u32 frames[DEPTH_MAX] = {0, 1, 2, 3, 4, 5, 6, 7};
	struct profile_sample sample = {.location = frames, .depth = depth, .size = 8, .alloc_count = 1};
	struct profile profile = {.sample_bytes = 1,
				  .mappings = mappings,
				  .mapping_count = 4,
				  .locations = locations,
				  .location_count = depth,
				  .samples = &sample,
				  .sample_count = 1};
	const struct profile_line *line;
	u32 count;

	assert_true(depth <= DEPTH_MAX);
	for (u32 i = 0; i < depth; i++) {
		locations[i] = (struct profile_location){.address = i, .mapping = stack[i].mapping, .lines = lines[i]};
		for (u32 j = 0; j < LINES_MAX && stack[i].lines[j][0]; j++) {
			char *name = (char *)stack[i].lines[j][0];

			lines[i][locations[i].line_count++] = (struct profile_line){
				.function = name, .system_name = name, .file = (char *)stack[i].lines[j][1]};
		}
	}
	frame_roles_mark(&profile, skip);
	free(sites);
	assert_int_equal(profile_sites(&profile, ALLOC_SPACE, &sites, &count), 0);
	assert_int_equal(count, 1);
	*ret_frame = sites->frame;
	line = profile_site_line(sites);
	return line ? line->function : "";
}

#define ASSERT_SITE(stack, frame_, name)                                                                               \
	do {                                                                                                           \
		u32 found;                                                                                             \
                                                                                                                       \
		assert_string_equal(site_of(stack, sizeof(stack) / sizeof(*(stack)), NULL, &found), name);             \
		assert_int_equal(found, frame_);                                                                       \
	} while (0)

static int forget(void **state)
{
	(void)state;
	free(sites);
	sites = NULL;
	return 0;
}

static void test_role_of_wrappers_known_by_name(void **state)
{
	static const struct frame checked[] = {FRAME(PROGRAM, "xmalloc"), FRAME(PROGRAM, "parse"),
					       FRAME(PROGRAM, "main")};
	static const struct frame twice[] = {FRAME(PROGRAM, "MemoryContextAlloc"), FRAME(PROGRAM, "palloc"),
					     FRAME(PROGRAM, "parse")};
	static const struct frame perl[] = {FRAME(PROGRAM, "Perl_safesysmalloc"), FRAME(PROGRAM, "Perl_sv_grow"),
					    FRAME(PROGRAM, "main")};
	static const struct frame member[] = {FRAME(PROGRAM, "v8::internal::Malloced::operator new(unsigned long)"),
					      FRAME(PROGRAM, "parse")};
	static const struct frame inlined[] = {{.lines = {{"xmalloc", "x.c"}, {"parse", "p.c"}}}};

	(void)state;
	ASSERT_SITE(checked, 1, "parse");
	ASSERT_SITE(twice, 2, "parse");
	ASSERT_SITE(perl, 1, "Perl_sv_grow");
	ASSERT_SITE(member, 1, "parse");
	ASSERT_SITE(inlined, 0, "parse");
	assert_int_equal(sites->line, 1);
}

/* sqlite3MemMalloc is static: in a stripped library it has no name. What only ends in a wrapper's name is none. */
static void test_role_of_what_works_for_a_wrapper_is_its_own(void **state)
{
	static const struct frame nameless[] = {{.mapping = PROGRAM},
						FRAME(PROGRAM, "sqlite3Malloc"),
						FRAME(PROGRAM, "sqlite3BtreeInsert"),
						FRAME(PROGRAM, "main")};
	static const struct frame alike[] = {FRAME(PROGRAM, "my_xmalloc"), FRAME(PROGRAM, "main")};

	(void)state;
	ASSERT_SITE(nameless, 2, "sqlite3BtreeInsert");
	ASSERT_SITE(alike, 0, "my_xmalloc");
}

static void test_role_of_libraries_inlined_or_not(void **state)
{
	static const struct frame inlined[] = {
		{.lines = {{"std::_Vector_base<int, std::allocator<int> >::_M_allocate(unsigned long)",
			    "/usr/include/c++/12/bits/stl_vector.h"},
			   {"push_back", "/usr/include/c++/12/bits/stl_vector.h"},
			   {"SessionStore::remember(Session)", "store.cc"}}},
		FRAME(PROGRAM, "main")};
	static const struct frame apart[] = {FRAME(PROGRAM, "void std::vector<int>::_M_realloc_insert<int>(int&&)"),
					     FRAME(PROGRAM, "std::__1::vector<int>::push_back(int const&)"),
					     FRAME(PROGRAM, "SessionStore::remember(Session)")};
	static const struct frame rust[] = {FRAME(PROGRAM, "alloc::raw_vec::RawVec<T,A>::grow_one"),
					    FRAME(PROGRAM, "<alloc::string::String as core::clone::Clone>::clone"),
					    FRAME(PROGRAM, "<server::Store as server::Keep>::keep")};
	static const struct frame text[] = {FRAME(LIBC, "__GI___strdup"), FRAME(PROGRAM, "remember")};

	(void)state;
	ASSERT_SITE(inlined, 0, "SessionStore::remember(Session)");
	assert_int_equal(sites->line, 2);
	ASSERT_SITE(apart, 2, "SessionStore::remember(Session)");
	ASSERT_SITE(rust, 2, "<server::Store as server::Keep>::keep");
	ASSERT_SITE(text, 1, "remember");
}

/* What an interpreter runs is the program, if it has names; else the interpreter's own code is what can be said. */
static void test_role_of_interpreters(void **state)
{
	static const struct frame named[] = {FRAME(PYTHON, "dictresize"), FRAME(PYTHON, "PyDict_SetItem"),
					     FRAME(GENERATED, "py::remember:/srv/store.py"), FRAME(PYTHON, "main")};
	static const struct frame nameless[] = {FRAME(PYTHON, "PyMem_Malloc"), FRAME(PYTHON, "dictresize"),
						FRAME(PYTHON, "PyDict_SetItem"), FRAME(PYTHON, "_start")};
	static const struct frame loader[] = {FRAME(LIBC, "_dl_new_object"), FRAME(LIBC, "dl_main"),
					      FRAME(PROGRAM, "_start")};

	(void)state;
	ASSERT_SITE(named, 2, "py::remember:/srv/store.py");
	ASSERT_SITE(nameless, 1, "dictresize");
	ASSERT_SITE(loader, 0, "_dl_new_object");
}

static void test_role_of_nothing_but_wrappers_is_the_leaf(void **state)
{
	static const struct frame cut[] = {FRAME(PROGRAM, "malloc"), FRAME(PROGRAM, "xmalloc")};
	static const struct frame code[] = {{.mapping = PROGRAM}, FRAME(PROGRAM, "main")};

	(void)state;
	ASSERT_SITE(cut, 0, "malloc");
	ASSERT_SITE(code, 0, "");
}

static void test_role_of_what_is_to_be_skipped(void **state)
{
	static const struct frame stack[] = {FRAME(PROGRAM, "pool::get(pool*)"), FRAME(PROGRAM, "Pool::take()"),
					     FRAME(PROGRAM, "parse")};
	regex_t skip;
	u32 frame;

	(void)state;
	assert_int_equal(regcomp(&skip, "^pool::|::take\\(", REG_EXTENDED | REG_NOSUB), 0);
	assert_string_equal(site_of(stack, 3, &skip, &frame), "parse");
	assert_int_equal(frame, 2);
	regfree(&skip);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_role_of_wrappers_known_by_name),
		TEST(test_role_of_what_works_for_a_wrapper_is_its_own),
		TEST(test_role_of_libraries_inlined_or_not),
		TEST(test_role_of_interpreters),
		TEST(test_role_of_nothing_but_wrappers_is_the_leaf),
		TEST(test_role_of_what_is_to_be_skipped),
	};

	return cmocka_run_group_tests_name("frame_role", tests, NULL, NULL);
}
