/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/ledger.h"

struct line {
	const char *name, *text;
};

#define LINE(id, name, text) {#name, text},
static const struct line causes[] = {PUSH_CAUSES(LINE)};
static const struct line failures[] = {PUSH_FAILURES(LINE)};
#undef LINE

const char *push_cause_name(enum push_cause cause)
{
	return causes[cause].name;
}

const char *push_cause_text(enum push_cause cause)
{
	return causes[cause].text;
}

const char *push_failure_name(enum push_failure failure)
{
	return failures[failure].name;
}

const char *push_failure_text(enum push_failure failure)
{
	return failures[failure].text;
}

void push_amount_add(struct push_amount *sum, const struct push_amount *more)
{
	sum->requests += more->requests;
	sum->profiles += more->profiles;
	sum->samples += more->samples;
}

void push_amount_subtract(struct push_amount *sum, const struct push_amount *less)
{
	sum->requests -= less->requests;
	sum->profiles -= less->profiles;
	sum->samples -= less->samples;
}

struct push_amount push_amount_part(const struct push_amount *whole, u64 profiles)
{
	if (profiles >= whole->profiles)
		return *whole;
	return (struct push_amount){0, profiles,
				    (u64)((double)whole->samples * (double)profiles / (double)whole->profiles)};
}

void push_ledger_add(struct push_ledger *sum, const struct push_ledger *more)
{
	push_amount_add(&sum->taken, &more->taken);
	push_amount_add(&sum->resumed, &more->resumed);
	push_amount_add(&sum->sent, &more->sent);
	for (int i = 0; i < PUSH_CAUSE_COUNT; i++)
		push_amount_add(&sum->dropped[i], &more->dropped[i]);
	push_amount_add(&sum->waiting, &more->waiting);
	push_amount_add(&sum->spooled, &more->spooled);
	sum->attempts += more->attempts;
	for (int i = 0; i < PUSH_FAILURE_COUNT; i++)
		sum->failed[i] += more->failed[i];
	sum->sent_bytes += more->sent_bytes;
	sum->untold_processes += more->untold_processes;
	sum->untold_bytes += more->untold_bytes;
}

struct push_amount push_ledger_dropped(const struct push_ledger *ledger)
{
	struct push_amount sum = {0};

	for (int i = 0; i < PUSH_CAUSE_COUNT; i++)
		push_amount_add(&sum, &ledger->dropped[i]);
	return sum;
}

u64 push_ledger_failed(const struct push_ledger *ledger)
{
	u64 sum = 0;

	for (int i = 0; i < PUSH_FAILURE_COUNT; i++)
		sum += ledger->failed[i];
	return sum;
}

static bool attempts_balance(const struct push_ledger *ledger)
{
	u64 ended = ledger->sent.requests + ledger->dropped[PUSH_REJECTED].requests + push_ledger_failed(ledger);

	return ledger->attempts == ended || ledger->attempts == ended + 1;
}

bool push_ledger_balances(const struct push_ledger *ledger)
{
	struct push_amount in = ledger->taken, out = push_ledger_dropped(ledger);

	push_amount_add(&in, &ledger->resumed);
	push_amount_add(&out, &ledger->sent);
	push_amount_add(&out, &ledger->waiting);
	return in.requests == out.requests && in.profiles == out.profiles && in.samples == out.samples &&
	       attempts_balance(ledger);
}
