// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of sites, functions and processes, and the panel of one site. */
import { button, byId, html, put, show } from "./dom.js";
import { MEASURES, WORDS, amount, bytes, change, digits, isInuse, plusMinus, seconds, share } from "./numbers.js";
import { cutName } from "./names.js";
import { drawSurvival, sparkline } from "./chart.js";
import { drawSorted, makeListTable, numberColumn, textColumn } from "./table.js";
import { data, state, totalOfMeasure } from "./state.js";

const NAME_COLUMNS = 27;
const SIGNS = { new: "\u271a", gone: "\u2716", grown: "\u25b2", shrunk: "\u25bc", same: "=" };

/* --- cells --- */

/* A name, with all of it or something else as a hint; below it `note`. What is chosen may be absent. */
function nameCell(name, { hint = name, note, choose }) {
	const attributes = { class: "name", title: hint };

	return [choose ? button({ ...attributes, onclick: choose }, name) : html("span", attributes, name), note ? html("small", {}, note) : null];
}

function nameOfSite(site) {
	return site.gathered ? `(${digits(site.gathered)} others)` : site.label;
}

/* A label is "function  file:line < caller < caller". */
function siteCell(site, choose) {
	const [own, ...callers] = nameOfSite(site).split(" < "), [name, place = ""] = own.split("  ");

	return site.gathered ? name : nameCell(cutName(name, NAME_COLUMNS), { hint: site.label, note: [place, ...callers].join(" < "), choose });
}

function nameOfProcess(row) {
	return row.gathered ? `(${digits(row.gathered)} others)` : `${row.pid} ${row.comm || ""}${row.image > 1 ? ` (program ${row.image})` : ""}`;
}

function hasView(row) {
	return row.view !== null && row.view !== undefined;
}

function processCell(row, choose) {
	if (row.gathered)
		return nameOfProcess(row);
	return nameCell(nameOfProcess(row), hasView(row) ? { choose } : { hint: "it has no view of its own on this page: see the recording" });
}

/* What a row grows by, and 0 where its verdict is another one; null: there is none. */
function growthOfRow(row) {
	if (row.verdict === "growing")
		return row.growth || 0;
	return row.verdict && row.verdict !== "unknown" ? 0 : null;
}

function growthCell(growth, row) {
	return row.verdict !== "growing" ? row.verdict
		: [html("span", { class: "growing" }, `\u25b2 ${bytes(growth)}/s`), html("small", {}, `\u00b1${bytes(row.growth_error || 0)}/s`)];
}

const growthColumn = numberColumn("growth", growthOfRow, growthCell);

function withError(text, row, measure) {
	const error = plusMinus(row.error && row.error[measure], measure);

	return [text, error ? html("small", {}, error) : null];
}

/* --- tables --- */

export function drawSites(sites, choose) {
	const { view, measure, orders } = state, at = isInuse(measure) ? 1 : 0, whole = totalOfMeasure(measure)?.value;
	const all = view.sites.reduce((sum, site) => sum + (site.gathered || 1), 0), own = sites.filter((site) => !site.gathered).length;
	const value = (site) => site.value[measure], hasHistory = (site) => site.history && site.history.length > 1;
	const columns = [
		{ title: "site", left: true, sort: nameOfSite, cell: (site) => siteCell(site, () => choose(site)) },
		numberColumn(WORDS[measure], value, (number, site) => withError(amount(number, measure), site, measure)),
		numberColumn("share", value, (number) => share(number, whole)),
		numberColumn("samples", (site) => site.samples && site.samples[at], digits),
		growthColumn,
		numberColumn("median", (site) => site.median_ns, seconds),
	];

	if (sites.some(hasHistory))
		columns.push(numberColumn("trend", (site) => hasHistory(site) ? site.history.at(-1) - site.history[0] : null,
			(_, site) => sparkline(site.history)));
	drawSorted("table", `${digits(own)} of ${digits(all)} sites, by where the program allocates`, columns, sites, orders.sites,
		(site) => site === state.site ? "chosen" : null);
}

export function drawFunctions(sums, choose) {
	const { measure, scene, orders } = state, write = (number) => amount(number, measure);
	const columns = [
		{ title: "function", left: true, sort: (sum) => sum.name,
			cell: (sum) => nameCell(cutName(sum.brief, NAME_COLUMNS), { hint: sum.name, note: sum.file?.replace(/^.*\//, ""), choose: () => choose(sum) }) },
		numberColumn("with callees", (sum) => sum.total, write),
		numberColumn("share", (sum) => sum.total, (total) => share(total, scene.width[0])),
		numberColumn("itself", (sum) => sum.self, write),
	];

	if (scene.before)
		columns.push(numberColumn("change", (sum) => sum.total - sum.before, (number) => change(number, measure)));
	drawSorted("table", `${digits(sums.length)} functions, as the picture shows them`, columns, sums, orders.functions);
}

export function drawPairs(pairs) {
	const { view, measure, kept, orders } = state, own = pairs.filter((pair) => !pair.gathered).length;
	const all = Object.entries(view.states).reduce((sum, [kind, { count }]) => sum + (kept === "all" || kept === kind ? count : 0), 0);
	const side = (title, of) => ({ title, sort: (pair) => pair[of] ? pair[of][measure] : 0,
		cell: (pair) => pair[of] ? amount(pair[of][measure], measure) : "\u2013" });
	const columns = [
		{ title: "site", left: true, sort: nameOfSite, cell: siteCell },
		textColumn("state", (pair) => pair.state, ({ state: kind }) => html("span", { class: "state " + kind }, `${SIGNS[kind]} ${kind}`)),
		numberColumn("change", (pair) => pair.change[measure], (number, pair) => withError(change(number, measure), pair, measure)),
		side("A", "before"),
		side("B", "after"),
	];

	drawSorted("table", `${digits(own)} of ${digits(all)} sites listed, A before and B after`, columns, pairs, orders.pairs);
}

export function drawProcesses(choose) {
	/* Those that matter least are not listed one by one where there are very many. */
	const { processes, processes_rest: rest } = data, rows = rest ? [...processes, { ...rest, gathered: rest.count }] : processes;
	const many = rest ? rest.count : 0, left = processes.filter((row) => row.samples && !hasView(row)).length + many;
	const columns = [
		{ title: "process", left: true, sort: (row) => row.pid, cell: (row) => processCell(row, () => choose(row.view)) },
		textColumn("container", (row) => row.container),
		numberColumn("in use", (row) => row.inuse_space, bytes),
		numberColumn("allocated", (row) => row.alloc_space, bytes),
		numberColumn("samples", (row) => row.samples, digits),
		growthColumn,
		numberColumn("resident", (row) => row.rss_end || row.rss_peak, (size, row) => row.rss_end ? bytes(size) : `${bytes(size)} at most`),
		textColumn("end", (row) => row.ended),
	];

	const without = left ? `, ${digits(left)} of them without a view of their own on this page` : "";

	show("processes", rows.length > 1);
	drawSorted("process-table", `${digits(processes.length + many)} processes${without}`, columns, rows, state.orders.processes);
}

/* --- one site --- */

function figures(site) {
	const rows = MEASURES.map((_, measure) => [WORDS[measure], `${amount(site.value[measure], measure)} ${plusMinus(site.error[measure], measure)}`,
		digits(site.samples[isInuse(measure) ? 1 : 0])]).reverse();
	const growth = growthOfRow(site);

	rows.push(["growth", growth === null ? "unknown" : growthCell(growth, site), ""]);
	rows.push(["median age", site.median_ns ? seconds(site.median_ns) : "not known", ""]);
	return makeListTable("Figures of this site", ["figure", "value", "samples"], rows);
}

function frameLine([at, number], isOwn) {
	const { name, file, role } = state.view.functions[at];

	return html("li", { class: isOwn ? "own" : role ? "faint" : null }, html("span", {}, name), " ",
		html("small", {}, file ? `${file}${number ? ":" + number : ""}` : ""));
}

/* A site's figures, its whole stack from the leaf on, and how long its objects live. */
export function drawSite() {
	const { site } = state, hasLife = Boolean(site && site.survival && site.survival.length > 1);

	show("site", Boolean(site));
	if (!site)
		return;
	put("site-name", state.view.functions[site.function].brief);
	put("site-figures", figures(site));
	put("site-stack", (site.stack || []).map((frame, at) => frameLine(frame, at === site.frame)));
	show("site-life", hasLife);
	if (hasLife)
		drawSurvival(byId("survival"), site.survival, site.median_ns);
}
