// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * C++ without frame pointers: containers, virtual calls, closures, sorting, streams, regular expressions; exceptions
 * thrown through frames that allocate while they are unwound; threads with objects that allocate when their thread
 * ends.
 */
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace
{

class random_walk
{
      public:
	explicit random_walk(uint64_t seed) : state(seed)
	{
	}
	unsigned int draw(unsigned int below)
	{
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		return state % below;
	}
	uint64_t sum = 0;

      private:
	uint64_t state;
};

struct late {
	std::vector<std::string> words;
	~late()
	{
		for (int i = 0; i < 20; i++)
			words.push_back("a word that is too long to be kept in place " + std::to_string(i));
	}
};

thread_local late last_words;

struct shape {
	virtual ~shape() = default;
	virtual void act(random_walk &walk, unsigned int left) const = 0;
};

void go_on(random_walk &walk, unsigned int left);

struct mapping : shape {
	void act(random_walk &walk, unsigned int left) const override
	{
		std::map<std::string, std::vector<int>> table;

		for (int i = 0; i < 8; i++)
			table["a key that needs room on the heap " + std::to_string(walk.draw(5))].push_back(i);
		go_on(walk, left);
		walk.sum += table.size();
	}
};

struct closure : shape {
	void act(random_walk &walk, unsigned int left) const override
	{
		std::string name(40 + walk.draw(100), 'c');
		std::function<void(unsigned int)> act = [&walk, name, left](unsigned int step) {
			std::unique_ptr<int[]> numbers(new int[step + 3]);
			go_on(walk, left);
			walk.sum += name.size() + (numbers[0] = 1);
		};

		act(walk.draw(30));
	}
};

struct sorting : shape {
	void act(random_walk &walk, unsigned int left) const override
	{
		std::vector<std::string> words;

		for (int i = 0; i < 20; i++)
			words.push_back(std::string(20, 'w') + std::to_string(walk.draw(1000)));
		std::stable_sort(words.begin(), words.end(),
				 [](const std::string &a, const std::string &b) { return a + "x" < b + "x"; });
		go_on(walk, left);
		walk.sum += words[0].size();
	}
};

/* Runs while an exception passes. */
struct guard {
	random_walk &walk;
	~guard()
	{
		walk.sum += std::string(50 + walk.draw(10), 'g').size();
	}
};

__attribute__((noinline)) void throw_through(random_walk &walk, unsigned int frames)
{
	guard held{walk};

	if (!frames)
		throw std::runtime_error("thrown with a message that is kept on the heap");
	throw_through(walk, frames - 1);
	walk.sum++;
}

struct throwing : shape {
	void act(random_walk &walk, unsigned int left) const override
	{
		try {
			throw_through(walk, walk.draw(6));
		} catch (const std::exception &error) {
			walk.sum += std::string(error.what()).size();
			go_on(walk, left);
		}
	}
};

struct streaming : shape {
	void act(random_walk &walk, unsigned int left) const override
	{
		std::ostringstream out;

		for (int i = 0; i < 10; i++)
			out << i << ' ' << 0.5 * walk.draw(100) << " and so on\n";
		go_on(walk, left);
		walk.sum += out.str().size();
	}
};

const std::unique_ptr<shape> shapes[] = {std::make_unique<mapping>(), std::make_unique<closure>(),
					 std::make_unique<sorting>(), std::make_unique<throwing>(),
					 std::make_unique<streaming>()};

__attribute__((noinline)) void go_on(random_walk &walk, unsigned int left)
{
	if (left)
		shapes[walk.draw(5)]->act(walk, left - 1);
}

void match(random_walk &walk)
{
	std::regex expression("(a|b+)*c([0-9]{2,4})?d");

	walk.sum += std::regex_match("abbabbbc123d", expression);
}

void work(random_walk &walk)
{
	last_words.words.push_back("the first of them, long enough for the heap");
	for (int i = 0; i < 40; i++)
		go_on(walk, walk.draw(12));
	match(walk);
}

} // namespace

int main()
{
	random_walk walks[] = {random_walk(88172645463325252u), random_walk(362436069362436069u),
			       random_walk(521288629521288629u)};
	std::thread one(work, std::ref(walks[1])), two(work, std::ref(walks[2]));

	work(walks[0]);
	one.join();
	two.join();
	std::printf("%lu %lu %lu\n", static_cast<unsigned long>(walks[0].sum), static_cast<unsigned long>(walks[1].sum),
		    static_cast<unsigned long>(walks[2].sum));
	return 0;
}
