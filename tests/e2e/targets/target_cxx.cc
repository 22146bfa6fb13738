/* SPDX-License-Identifier: GPL-2.0-or-later */
/* new and delete in all their shapes; libstdc++ brings them all down to glibc's functions. Every other block stays
 * alive. */
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "target.h"

struct alignas(64) wide {
	char bytes[192];
};

/* By posix_memalign, as libstdc++ has the throwing one from GCC 14 on, and aligned_alloc before. */
void *operator new(size_t size, std::align_val_t alignment, const std::nothrow_t &) noexcept
{
	void *addr;

	return posix_memalign(&addr, size_t(alignment), size) ? nullptr : addr;
}

static void *volatile sink;
static volatile size_t huge = SIZE_MAX / 2;

static void use_scalars()
{
	sink = new int(1);
	delete new int(2);
	sink = new char[33];
	delete[] new char[34];
	sink = new (std::nothrow) char[35];
	sink = new (std::nothrow) char[huge];
	sink = new std::string(100, 'x');
	delete new std::string(200, 'y');
}

static void use_alignment()
{
	sink = new wide;
	delete new wide;
	sink = new (std::nothrow) wide;
	delete new (std::nothrow) wide;
	sink = new wide[3];
	delete[] new wide[4];
	sink = ::operator new(77, std::align_val_t(128));
	::operator delete(::operator new(78, std::align_val_t(128)), 78, std::align_val_t(128));
	::operator delete(::operator new(79), 79);
}

static void use_containers()
{
	auto *numbers = new std::vector<int>;

	for (int i = 0; i < 10000; i++)
		numbers->push_back(i);
	sink = numbers;
	std::make_shared<std::string>(300, 'z');
}

/* A failed new throws through frames that may hold a return leg: it must arrive. */
static void use_exceptions()
{
	try {
		sink = ::operator new(huge);
	} catch (const std::bad_alloc &) {
		sink = new char[36];
	}
	try {
		throw std::string(50, 't');
	} catch (const std::string &caught) {
		sink = new std::string(caught);
	}
}

int main()
{
	target_await();
	for (int i = 0; i < 100; i++) {
		use_scalars();
		use_alignment();
		use_containers();
		use_exceptions();
	}
	return 0;
}
