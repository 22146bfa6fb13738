# SPDX-License-Identifier: GPL-2.0-or-later
"""program.py COUNT FILE [wait]: functions call one another by chance; a block of each leaf has a size that names the call, odd as few others are.

The program's own account of the stack at each call goes to FILE, a line each: the size, and the functions, innermost first. With "wait" it
says "r", and goes on at the first byte that it reads.
"""
import os
import random
import sys

kept, account = [], []
chance = random.Random(7)


def functions(frame):
    while frame:
        name = frame.f_code.co_name
        if name.startswith("deep_"):
            yield name
        frame = frame.f_back


def deep_leaf(size):
    kept[:] = [bytearray(size - 1)]  # and a NUL
    account.append(f"{size} {';'.join(functions(sys._getframe()))}\n")


class Tree:
    @property
    def deep_property(self):
        deep_step(*self.arguments)

    def __getitem__(self, key):
        self.arguments = key
        self.deep_property


def deep_generator(depth, size):
    yield deep_step(depth, size)


def deep_generated(depth, size):
    list(deep_generator(depth, size))


def deep_sorted(depth, size):
    def deep_key(_):
        deep_step(depth, size)

    sorted([1], key=deep_key)


def deep_item(depth, size):
    Tree()[depth, size]


def deep_step(depth, size):
    if depth:
        chance.choice([deep_generated, deep_sorted, deep_item])(depth - 1, size)
    else:
        deep_leaf(size)


if sys.argv[3:] == ["wait"]:
    os.write(1, b"r")
    os.read(0, 1)
for number in range(int(sys.argv[1])):
    deep_step(chance.randrange(6), 100001 + 16 * number)
with open(sys.argv[2], "w") as file:
    file.writelines(account)
