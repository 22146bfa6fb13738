# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes objects of all sizes in all ways, and writes how many blocks of each size tracemalloc knows to be in use.

python_objects.py TRUTH: "r" when it stands ready, "done" when the objects are made, "written" when the truth is; it goes on at each
byte that it reads. With "self" it does not wait.
"""
import collections
import os
import sys
import tracemalloc

kept = []


class Point:
    def __init__(self, number):
        self.number = number
        self.name = str(number)


def make(count):
    for i in range(count):
        kept.append({"k%d" % i: [i, i + 1, i + 2]})
        kept.append(Point(i * 1000))
        kept.append(bytes(i % 700))
        if i % 3 == 0:
            kept[i // 2] = None
        if i % 5 == 0:
            grown = bytearray(i % 900)
            grown.extend(b"x" * 300)
            del grown[100:]
            kept.append(grown)


def step(word):
    if sys.argv[2:] != ["self"]:
        os.write(1, word)
        os.read(0, 1)


make(3)
kept.clear()
step(b"r")
tracemalloc.start(1)
make(4000)
if sys.argv[2:] == ["fork"] and os.fork():
    os.wait()
    os._exit(0)
step(b"done")
counts = collections.Counter(trace.size for trace in tracemalloc.take_snapshot().traces)
with open(sys.argv[1], "w") as out:
    for size, count in counts.items():
        out.write("%d %d\n" % (size, count))
step(b"written")
os._exit(0)
