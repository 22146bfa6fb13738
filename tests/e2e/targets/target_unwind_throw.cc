// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What C++ alone makes hard on a stack, a scene each: `target_unwind_throw SCENE`. Nearly all that is allocated in one is
 * allocated where its name says. It says what came out, as the scenes in C do.
 */
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace
{

const int rounds = 500;
unsigned long sum;

/* Allocates while an exception passes. */
struct guard {
	size_t size;
	~guard()
	{
		sum += std::string(size, 'g').size();
	}
};

__attribute__((noinline)) void throw_through(unsigned int frames)
{
	guard held{50 + frames};

	if (!frames)
		throw std::runtime_error("thrown with a message that is kept on the heap");
	throw_through(frames - 1);
	sum++;
}

void scene_throw()
{
	for (int i = 0; i < rounds; i++) {
		try {
			throw_through(static_cast<unsigned int>(i) % 20);
		} catch (const std::exception &error) {
			sum += std::string(error.what()).size();
		}
	}
}

/* Caught and thrown on by every frame. */
__attribute__((noinline)) void pass_on(unsigned int frames)
{
	try {
		if (!frames)
			throw std::string(100, 't');
		pass_on(frames - 1);
	} catch (std::string &text) {
		guard held{60 + frames};

		sum += (text + "longer").size();
		throw;
	}
}

void scene_rethrow()
{
	for (int i = 0; i < rounds; i++) {
		try {
			pass_on(static_cast<unsigned int>(i) % 12);
		} catch (const std::string &text) {
			sum += text.size();
		}
	}
}

struct late {
	std::vector<std::string> words;
	~late()
	{
		for (int i = 0; i < 10; i++)
			words.push_back("a word that is too long to be kept in place " + std::to_string(i));
		sum += words.size();
	}
};

/* One after the other, so that the sum is no race. */
void scene_thread_local()
{
	for (int i = 0; i < rounds / 2; i++)
		std::thread([] {
			thread_local late last;

			last.words.reserve(1);
		}).join();
}

/* In the destructors that run at exit, after main. */
struct at_exit {
	bool wanted = false;
	~at_exit()
	{
		for (int i = 0; wanted && i < rounds; i++)
			throw_and_catch(static_cast<unsigned int>(i) % 20);
	}
	static void throw_and_catch(unsigned int frames)
	{
		try {
			throw_through(frames);
		} catch (const std::exception &error) {
			sum += std::string(error.what()).size();
		}
	}
} last;

void scene_exit()
{
	last.wanted = true;
}

} // namespace

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*play)();
	} scenes[] = {{"throw", scene_throw},
		      {"rethrow", scene_rethrow},
		      {"thread-local", scene_thread_local},
		      {"exit", scene_exit}};

	for (const auto &scene : scenes) {
		if (argc == 2 && !std::strcmp(argv[1], scene.name)) {
			scene.play();
			std::printf("%s %lu\n", argv[1], sum);
			return 7;
		}
	}
	return 2;
}
