// SPDX-License-Identifier: GPL-2.0-or-later
/* Draws what depends on a change, and turns clicks and keys into changes. */
import { button, byId, hasFocus, html, put, show } from "./dom.js";
import { ALLOC_SPACE, WORDS, amount, change, digits, isInuse, plusMinus, seconds, share } from "./numbers.js";
import { ROLES, holds } from "./names.js";
import { carryWay, findNodes, functionSums, nodeOfStack } from "./tree.js";
import { drawTimeline } from "./chart.js";
import { functionOfStep, makePicture, sizeOf } from "./picture.js";
import { data, isDifference, isWhole, load, makePictured, marksOf, state, totalOfMeasure, views } from "./state.js";
import { drawFunctions, drawPairs, drawProcesses, drawSite, drawSites } from "./sites.js";
import { drawCards, drawHead, drawVerdicts } from "./head.js";

const TABS = ["sites", "functions"], ROOT = { node: 0 };
const draw = makePicture(byId("picture"), { look: drawDetails, zoom: zoomTo, out: zoomOut });

/* --- the picture --- */

function drawPath() {
	put("path", state.zoom.map((step, at) => {
		const { brief } = functionOfStep(state.scene.tree, step), isLast = at === state.zoom.length - 1;

		return html("li", {}, isLast ? html("span", { "aria-current": "location" }, brief) : button({ onclick: () => zoomOut(at) }, brief));
	}));
}

function matchesOf(found) {
	const { width, measure } = state.scene;

	return found.within[0] ? `${digits(found.within[0])} boxes: ${amount(found.total, measure)}, ${share(found.total, width[0])} of all`
		: "nothing in the picture has that name";
}

/* `wanted`: the node to have the focus, if it is drawn. */
function drawPicture(wanted) {
	const { scene, search, order, zoom } = state, found = search ? findNodes(scene, search) : null;

	draw(scene, zoom[zoom.length - 1], { flame: order === "flame", found, wanted, take: hasFocus("picture") || hasFocus("path") });
	drawPath();
	show("empty", !scene.width[0]);
	put("matches", found ? matchesOf(found) : "");
}

function placeOfBox(box) {
	const { tree } = state.scene, { file, role } = functionOfStep(tree, box), line = tree.line[box.node];

	if (box.members)
		return "too small to see: a click shows them";
	return role < 0 ? "" : `${file ? `${file}${line ? ":" + line : ""}` : "file unknown"} \u00b7 ${ROLES[role]}`;
}

/* Says of a box what does not fit into it. */
function drawDetails(box) {
	const { tree, measure, own, width } = state.scene, hasErrors = tree.variance && isWhole() && box.before === null;
	const error = hasErrors ? plusMinus(Math.sqrt(sizeOf(box, tree.variance[measure])), measure) : "";
	const parts = [
		[amount(box.size, measure), error, WORDS[measure]].filter(Boolean).join(" "), width[0] ? `${share(box.size, width[0])} of all` : null,
		box.up?.node && box.up.size ? `${share(box.size, box.up.size)} of its ${state.order === "inverted" ? "callee" : "caller"}` : null,
		!box.members && box.node ? `${amount(own[box.node], measure)} itself` : null,
		box.before !== null ? `${change(box.size - box.before, measure)} since ${amount(box.before, measure)}` : null,
		hasErrors ? `${digits(sizeOf(box, tree.samples[isInuse(measure) ? 1 : 0]))} samples` : null,
	];

	put("box-name", functionOfStep(tree, box).name);
	put("box-place", placeOfBox(box));
	put("box-figures", parts.filter(Boolean).join(" \u00b7 "));
}

/* The way there is part of the path, so that one may go back to each box on it. */
function zoomTo(box) {
	const way = [];

	if (!box.up) {
		zoomOut();
		return;
	}
	for (let at = box; at.up; at = at.up)
		way.unshift({ node: at.node, members: at.members });
	state.zoom.push(...way);
	drawPicture(box.node);
}

/* Back to a step of the path, or one; from the whole, out of the search. */
function zoomOut(step = state.zoom.length - 2) {
	const left = state.zoom[state.zoom.length - 1];

	if (step < 0) {
		setSearch("");
		return;
	}
	state.zoom.length = step + 1;
	drawPicture(left.node);
}

/* --- the tables --- */

function isKept(row) {
	const { kept, search, view } = state, frames = (row.stack || []).map(([at]) => view.functions[at].name);

	return (!search || !row.gathered && holds(search, row.label, ...frames)) && (kept === "all" || kept === (isDifference() ? row.state : row.verdict));
}

function drawTables() {
	const { view, tab, search } = state, kinds = isDifference() ? ["all", "new", "gone", "grown", "shrunk"] : ["all", "growing"];
	const choice = (kind) => button({ "aria-pressed": String(kind === state.kept), onclick: () => setRows({ kept: kind }) }, kind);

	TABS.forEach((name) => byId("tab-" + name).setAttribute("aria-pressed", name === tab));
	put("kept", tab === "sites" ? kinds.map(choice) : "");
	if (tab === "functions")
		drawFunctions(functionSums(state.scene).filter((sum) => holds(search, sum.name, sum.file)), (sum) => setSearch(sum.name));
	else if (isDifference())
		drawPairs(view.sites.filter(isKept));
	else
		drawSites(view.sites.filter(isKept), chooseSite);
}

function chooseSite(site) {
	state.site = site;
	if (state.order !== "inverted") {
		state.zoom = [ROOT];
		drawPicture(nodeOfStack(state.scene.tree, site.stack.map(([at]) => at).reverse()));
	}
	drawSite();
	drawTables();
}

/* --- over time --- */

function rangeText(from, to) {
	if (isWhole())
		return "The picture shows the whole recording. Choose a range above to see what changed in it.";
	if (!state.range[0])
		return `The picture shows everything until ${to}.`;
	if (isInuse(state.measure))
		return `The picture shows what was ${WORDS[state.measure]} at ${to}; its colours, the change since ${from}.`;
	return `The picture shows what was allocated from ${from} to ${to}.`;
}

function drawRange() {
	const { view, measure } = state, marks = marksOf(view), range = state.range || [0, marks.length - 1];

	show("key-resident", view.timeline.some((point) => point[5]));
	show("over-time", view.timeline.length > 1);
	show("range", view.moments.length > 1);
	show("whole", !isWhole());
	if (view.timeline.length < 2)
		return;
	drawTimeline(byId("timeline"), view.timeline, measure, marks, isWhole() ? null : range, setRange);
	["first", "last"].forEach((name, at) => {
		byId(name).max = marks.length - 1;
		byId(name).value = range[at];
		byId(name).setAttribute("aria-valuetext", seconds(marks[range[at]]));
	});
	put("range-text", rangeText(...range.map((mark) => seconds(marks[mark]))));
}

/* --- changes --- */

/* Change what the picture shows. */
function alter(changes) {
	Object.assign(state, changes);
	state.scene = makePictured();
	drawRange();
	show("key-change", state.scene.before !== null);
	show("key-role", state.scene.before === null);
	drawPicture();
	drawTables();
}

/* Change what the table shows. */
function setRows(changes) {
	Object.assign(state, changes);
	drawTables();
}

function setRange(first, last) {
	alter({ range: [first, last], zoom: [ROOT] });
}

function setMeasure(measure) {
	alter({ measure });
}

function setOrder(order) {
	const isTurned = (order === "inverted") !== (state.order === "inverted");

	alter({ order, zoom: isTurned ? [ROOT] : state.zoom });
}

function setSearch(text) {
	byId("search").value = state.search = text;
	drawPicture();
	drawTables();
}

function drawView() {
	const { view } = state;

	if (!totalOfMeasure(state.measure))
		state.measure = ALLOC_SPACE;
	drawHead();
	drawVerdicts();
	drawCards(setMeasure);
	drawProcesses((at) => setView(data.views[at]));
	drawSite();
	show("summary", view.summary.length > 0);
	put("summary-text", view.summary.join("\n"));
	alter({});
}

function setView(view) {
	Object.assign(state, { view, zoom: [ROOT], range: null, site: null, kept: "all", tab: "sites" });
	drawView();
}

/* The same view with all its data: what has been chosen meanwhile stays chosen, the box and the site too. */
function completeView(view) {
	const { zoom, site, scene } = state;

	Object.assign(state, { view, range: null, site: site && view.sites.find(({ label }) => label === site.label) || null });
	state.zoom = carryWay(zoom, scene.tree, makePictured().tree);
	drawView();
}

/* --- what is listened to --- */

function listen() {
	const on = (id, kind, act) => byId(id).addEventListener(kind, act), valueOf = (id) => Number(byId(id).value);

	on("views", "change", (event) => setView(views[event.target.value]));
	document.querySelectorAll("input[name=order]").forEach((input) => on(input.id, "change", () => setOrder(input.value)));
	on("search", "input", (event) => setSearch(event.target.value));
	on("search", "keydown", (event) => event.key === "Escape" && setSearch(""));
	on("first", "input", () => setRange(Math.min(valueOf("first"), valueOf("last") - 1), valueOf("last")));
	on("last", "input", () => setRange(Math.min(valueOf("first"), valueOf("last") - 1), Math.max(valueOf("last"), 1)));
	on("whole", "click", () => {
		setRange(0, marksOf(state.view).length - 1);
		byId("last").focus();
	});
	TABS.forEach((tab) => on("tab-" + tab, "click", () => setRows({ tab })));
	document.addEventListener("keydown", (event) => {
		if (event.key !== "/" || event.target.closest("input:not([type=radio]), select") || event.ctrlKey || event.metaKey)
			return;
		event.preventDefault();
		byId("search").focus();
	});
	let width = byId("picture").clientWidth;
	new ResizeObserver(() => {
		if (Math.abs(byId("picture").clientWidth - width) < 2)
			return;
		width = byId("picture").clientWidth;
		drawPicture();
		drawRange();
	}).observe(byId("picture"));
}

/* --- the beginning --- */

/* The script finds in front of it what is seen at the first glance; the rest stands behind it, and may be cut off. */
function showAll() {
	if (load("data"))
		(hasGlance ? completeView : begin)(views[0]);
	else
		put("verdicts", html("li", { class: "lost" }, "this file is cut off, and the page shows only what is largest: make it, or copy it, again"));
	byId("page").removeAttribute("aria-busy");
}

/* Once there is a picture. A window that is not seen has none, and nobody waits for it. */
function afterPicture() {
	return new Promise((resolve) => {
		new PerformanceObserver((list) => list.getEntriesByName("first-contentful-paint").forEach(resolve)).observe({ type: "paint", buffered: true });
		setTimeout(resolve, 5000);
	});
}

/* Where nothing can be shown, nothing is listened to. */
function begin(view) {
	setView(view);
	listen();
}

show("page", true);
const hasGlance = load("glance");

if (hasGlance)
	begin(views[0]);
document.addEventListener("DOMContentLoaded", () => hasGlance ? afterPicture().then(showAll) : showAll());
