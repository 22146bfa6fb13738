// SPDX-License-Identifier: GPL-2.0-or-later
/* Above the picture: what was recorded, the verdicts, and the totals, which choose the measure. */
import { byId, html, put, show } from "./dom.js";
import { ALLOC_OBJECTS, ALLOC_SPACE, INUSE_OBJECTS, INUSE_SPACE, WORDS, amount, bytes, change, digits, plusMinus, seconds } from "./numbers.js";
import { makeFolded, makeListTable } from "./table.js";
import { data, isDifference, state, totalOfMeasure, views } from "./state.js";

const ORDER = [INUSE_SPACE, INUSE_OBJECTS, ALLOC_SPACE, ALLOC_OBJECTS]; /* of the cards */

function dateOf(unixNs) {
	return new Date(Number(BigInt(unixNs) / 1000000n)).toISOString().replace("T", " ").replace(/\..*/, " UTC");
}

function intervalOf(bytes) {
	return `a sample per ${bytes % 1024 ? digits(bytes) + " B" : digits(bytes / 1024) + " KiB"}`;
}

/* What there is of these, as one line. */
function inOne(parts) {
	return parts.filter(Boolean).join(" \u00b7 ");
}

export function drawHead() {
	const { recording, title, version, live } = data, { sides = [] } = state.view;

	put("title", sides.length ? `${sides[0].name} \u2192 ${sides[1].name}` : title);
	put("about", inOne([Number(recording.start_unix_ns) && dateOf(recording.start_unix_ns), seconds(recording.duration_ns),
		recording.exact ? "every allocation" : intervalOf(recording.sample_bytes), recording.attach && `${recording.attach} probes`,
		`heaptap ${version}`, live && "still running: reload for newer figures"]));
	show("sides", sides.length > 0);
	put("sides", sides.map(({ name, start_unix_ns: start, duration_ns: duration }, at) =>
		html("p", {}, html("b", {}, at ? "B" : "A"), ` ${at ? "after" : "before"}: ${name}, ${dateOf(start)}, ${seconds(duration)}`)));
	show("chooser", views.length > 1);
	put("views", views.map((view, at) => html("option", { value: at, selected: view === state.view }, view.name)));
	document.title = `${title} \u2013 heap profile`;
}

/* --- verdicts --- */

/* What became of the sites of two profiles, one for each state that occurs. */
function statesOfPairs(states) {
	return ["new", "gone", "grown", "shrunk"].map((kind) => states[kind].count
		? html("li", { class: kind }, `${digits(states[kind].count)} ${kind}: ${change(states[kind].change[INUSE_SPACE], INUSE_SPACE)} in use`) : null);
}

function verdictsOf({ verdicts, growth }) {
	if (verdicts.length)
		return verdicts.map((text) => html("li", { class: /^grows/.test(text) ? "growing" : null }, text));
	return html("li", {}, growth && growth.verdict && growth.verdict !== "unknown" ? `no site grows; the process as a whole: ${growth.verdict}`
		: "no site is known to grow");
}

export function drawVerdicts() {
	const { view } = state, { losses, balance } = view, lost = (text) => html("li", { class: "lost" }, text);

	byId("verdicts").className = isDifference() ? "short" : "";
	put("verdicts", isDifference() ? statesOfPairs(view.states) : verdictsOf(view),
		losses.length ? lost(`lost: ${losses.map(({ name, count }) => `${name} ${digits(count)}`).join(", ")}`) : null,
		balance ? lost(`does not balance: ${digits(Math.abs(balance))} sampled allocations are accounted for ${balance > 0 ? "nowhere" : "twice"}`) : null);
}

/* --- totals --- */

/* Peak and resident memory, in the words of the terminal's summary. */
function memoryLine({ facts, totals }) {
	const { peak, rss, exited } = facts || {};
	const sizes = rss ? [[!exited && rss.end_bytes, "at the end"], [rss.start_bytes, "at the start"], [rss.peak_bytes, "at most"]] : [];
	const resident = sizes.filter(([size]) => size).map(([size, when]) => `${bytes(size)} ${when}`).join(", ");

	return inOne([peak && peak.inuse_space && totals.inuse_space && `peak: ${bytes(peak.inuse_space)} in use, ${seconds(peak.at_ns)} after the start`,
		resident && `resident: ${resident}`]);
}

/* What is not in use of the heap: [what, bytes]. glibc's malloc says how much of that it keeps free. */
function keptParts({ untouched_bytes: untouched, kept_bytes: kept, free_bytes: stated }) {
	const free = Math.min(stated, kept);

	if (untouched)
		return [["of that at least is not resident", untouched]];
	if (stated === null)
		return [["allocated before heaptap came, rounded up, or kept free by the allocator", kept]];
	return [["kept free by glibc's malloc, at least", free], ["allocated before heaptap came, rounded up", kept - free]];
}

/* What the resident memory consists of: [what, sizes, whether it is part of the one above]; without what there is none of. */
function memoryParts(memory) {
	const { parts, inuse_space: inuse, others } = memory;
	const within = ([what, size]) => [what, inuse === null ? null : { resident_bytes: size }, true];

	return [
		["heap", parts.heap],
		within(["in use", inuse]),
		...keptParts(memory).map(within),
		["stacks of threads", parts.stacks],
		["code and other files that are mapped", parts.files],
		["memory shared with other processes", parts.shared],
		["anonymous mappings of others than the allocator", parts.others],
		...others.map((other) => [other.name, other, true]),
	].filter(([, size, isWithin]) => size && (isWithin || size.resident_bytes || size.swap_bytes || size.hugetlb_bytes));
}

function memoryTable(memory) {
	const rows = memoryParts(memory).map(([what, { resident_bytes: resident, swap_bytes: swap, hugetlb_bytes: huge }, isWithin]) =>
		[what, bytes(resident), swap ? bytes(swap) : "", huge ? bytes(huge) : "", isWithin]);

	return makeFolded("Where the resident memory is", makeListTable(`${bytes(memory.resident_bytes)} resident`,
		["part", "resident", "swapped out", "HugeTLB"], rows, (row) => row[4] ? "inner" : null));
}

function cardOf(measure, choose) {
	const total = totalOfMeasure(measure), id = `measure-${measure}`, error = total && !data.recording.exact && plusMinus(total.error, measure);
	const note = !total ? "--alloc-only" : isDifference()
		? `${change(total.value - total.before, measure)} ${plusMinus(total.error, measure)} since ${amount(total.before, measure)}`
		: `${error ? `${error}, ` : ""}${digits(total.samples)} samples`;

	const checked = measure === state.measure, value = total ? amount(total.value, measure) : "not recorded";

	return [html("input", { type: "radio", name: "measure", id, checked, disabled: !total, onchange: () => choose(measure) }),
		html("label", { for: id }, html("span", {}, WORDS[measure]), html("strong", {}, value), html("small", {}, note))];
}

export function drawCards(choose) {
	const { memory } = state.view.facts || {};

	put("measures", html("legend", {}, "What is counted"), ORDER.map((measure) => cardOf(measure, choose)));
	put("memory", memoryLine(state.view));
	put("resident", memory ? memoryTable(memory) : null);
	show("unseen", !isDifference());
}
