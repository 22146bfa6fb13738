/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Which files a program will map, before it runs. Its own dynamic loader is asked (`ld.so --list`), which alone knows
 * RPATH, LD_PRELOAD and the cache; scripts are followed through their #! lines, and the shell runs what the kernel does not
 * know, as with execvp.
 */
struct binaries;

/*
 * Open the files of the program at `path`, absolute or relative. 0, or negative errno. A program whose files the loader
 * does not tell is no error: they will be found when it maps them.
 */
int loader_list_open(struct binaries *binaries, const char *path);
