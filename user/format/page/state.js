// SPDX-License-Identifier: GPL-2.0-or-later
/* What the page has been told, and what it shows of it now. */
import { byId } from "./dom.js";
import { INUSE_SPACE, MEASURES, isInuse } from "./numbers.js";
import { invertTree, makeScene, makeTree } from "./tree.js";

const ZERO = [0, 0, 0, 0];

function largest(column) {
	return { column, down: true };
}

export const state = {
	view: null, measure: INUSE_SPACE, order: "icicle", zoom: [], search: "", range: null, site: null, tab: "sites", kept: "all", scene: null,
	orders: { sites: largest(1), functions: largest(1), pairs: largest(2), processes: largest(2) },
};

/* --- views: those of the recording, and the difference of two --- */

function viewOfDifference({ tree, functions, sites, states, before, after }) {
	return { name: "difference", kind: "difference", functions, states, tree: { ...tree, self: tree.after_self }, before: tree.before_self,
		sites, summary: [], verdicts: [], losses: [], timeline: [], moments: [], sides: [before, after] };
}

export let data = null, views = [];

/* Take the data of an element of the document, if they are there and whole. */
export function load(id) {
	let loaded = null;

	try {
		loaded = JSON.parse(byId(id)?.textContent || null);
	} catch (error) {
		return false;
	}
	if (!loaded)
		return false;
	data = loaded;
	views = [...data.difference ? [viewOfDifference(data.difference)] : [], ...data.views];
	for (const view of views)
		view.functions = view.functions.map(([name, file, role, brief = name]) => ({ name, file, role, brief }));
	return true;
}

export function isDifference() {
	return state.view.kind === "difference";
}

/* {value, error, samples}, of a difference `before` in place of samples; null: not recorded. */
export function totalOfMeasure(measure) {
	const { view } = state, sum = (rows) => rows.reduce((total, row) => total + row[measure], 0);

	return isDifference() ? { value: sum(view.tree.self), before: sum(view.before), error: data.difference.sum.error[measure] }
		: view.totals[MEASURES[measure]];
}

/* --- times --- */

/* The marks of the timeline: the beginning and the moments, the last of which is the end. */
export function marksOf(view) {
	return [0, ...view.moments.length ? view.moments.map((moment) => moment.at_ns) : [data.recording.duration_ns]];
}

function rowsAt(view, mark) {
	return mark === 0 ? view.tree.parent.map(() => ZERO) : view.moments[mark - 1].self;
}

export function isWhole() {
	return !state.range || state.range[0] === 0 && state.range[1] === marksOf(state.view).length - 1;
}

/* The tree of the picture, and its rows. */
export function makePictured() {
	const { view, measure, range } = state, inverted = state.order === "inverted", compares = view.before || range && range[0] > 0;

	if (inverted && view.inverted && isWhole() && !compares)
		return makeScene(view.madeInverted ||= makeTree(view.inverted, view.functions), measure, view.inverted.self);
	const rows = isWhole() ? view.tree.self : rowsAt(view, range[1]), before = view.before || (compares ? rowsAt(view, range[0]) : null);
	const tree = view.made ||= makeTree(view.tree, view.functions), turned = inverted ? invertTree(tree, rows, before) : { tree, rows: [rows, before] };

	return makeScene(turned.tree, measure, ...turned.rows, !view.before);
}
