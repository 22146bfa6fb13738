/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the kernel takes for the root directory of this process's mount namespace, and what the process has as its own. */

/*
 * For the start of main, of a test of something that a chroot takes away: in a chroot, run the program anew in a mount
 * namespace whose root is the directory that the chroot has, with all that is mounted below it; nothing of it is seen
 * outside, and paths stay what they were. Elsewhere: do nothing. Says why and exits when it cannot.
 */
void root_own(char **argv);
