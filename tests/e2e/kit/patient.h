/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What target_patient and its tests share, in a file that both map. */

#define PATIENT_THREADS 1024
#define PATIENT_BYTES	64

struct patient_page {
	unsigned long function, offset; /* its address in the target, and in the file */
	unsigned long calls, signals;
	unsigned long allocations; /* of PATIENT_BYTES each, by `counted` */
	int threads;
	int left;			       /* 1: the first of them has ended, and the others run on */
	unsigned long rounds[PATIENT_THREADS]; /* of each thread, through all its work */
	unsigned long wrong;		       /* how many things were */
	char what[200];			       /* the first of them */
	volatile int ready, end;
	volatile int held;    /* a thread waits, in vfork or in a signal handler */
	volatile int release; /* it may go on */
};
