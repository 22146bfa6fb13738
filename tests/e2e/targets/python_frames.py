# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes small objects in two functions, one of which calls the other, as soon as the named file is there."""
import os
import sys


def make_leaf(count):
    return [{"x%d" % i: i} for i in range(count)]


def make_caller(count):
    return make_leaf(count)


while not os.path.exists(sys.argv[1]):
    pass
kept = make_caller(60000)
