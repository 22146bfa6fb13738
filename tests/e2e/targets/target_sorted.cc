// SPDX-License-Identifier: GPL-2.0-or-later
// Exceptions that pass the C library: a comparison that qsort calls allocates, and throws. It ends with 0 only when every one
// was caught, and the destructors on their way have run. 50 blocks of 300 001 bytes are allocated, and all are freed.
#include <cstddef>
#include <cstdlib>
#include <stdexcept>
#include <string>

#define TIMES 50

static int destroyed;

struct guard {
	char *block = static_cast<char *>(operator new(300001));
	~guard()
	{
		operator delete(block);
		destroyed++;
	}
};

static int compare(const void *left, const void *right)
{
	guard guard;

	guard.block[0] = *static_cast<const char *>(left);
	if (guard.block[0] != *static_cast<const char *>(right))
		throw std::runtime_error(std::string(1000, guard.block[0]));
	return 0;
}

// Large enough for qsort to ask for memory of its own, which it does not get rid of then.
__attribute__((noinline)) static bool sort_and_catch()
{
	static char items[4000] = "ab";

	try {
		qsort(items, sizeof(items), 1, compare);
	} catch (const std::runtime_error &error) {
		return error.what()[999] != '\0' && error.what()[1000] == '\0';
	}
	return false;
}

int main()
{
	int caught = 0;

	for (int i = 0; i < TIMES; i++)
		caught += sort_and_catch();
	return caught == TIMES && destroyed == TIMES ? 0 : 1;
}
