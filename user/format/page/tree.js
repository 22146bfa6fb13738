// SPDX-License-Identifier: GPL-2.0-or-later
/* Call trees: node 0 is all, parents stand before their children. */
import { isInuse } from "./numbers.js";
import { holds } from "./names.js";

/* What each node has itself, and what it has with all below it. */
function selfOf(rows, measure) {
	return Float64Array.from(rows, (row) => row[measure]);
}

function totalOf(tree, self) {
	const total = self.slice();

	for (let node = total.length - 1; node > 0; node--)
		total[tree.parent[node]] += total[node];
	return total;
}

/* `samples`, of allocations and of what is in use, and by measure `variance`, the squares of standard errors, are with all below. */
export function makeTree(columns, functions) {
	const children = columns.parent.map(() => []), totals = (rows) => rows && rows[0].map((_, at) => totalOf(columns, selfOf(rows, at)));

	columns.parent.forEach((parent, node) => node && children[parent].push(node));
	return { ...columns, children, functions, samples: totals(columns.samples), variance: totals(columns.variance) };
}

/* {name, file, role, brief}; a gathered node has none of its own. */
export function functionOf(tree, node) {
	if (node && !tree.gathered[node])
		return tree.functions[tree.function[node]];
	const name = node ? `(${tree.gathered[node]} smaller)` : "all";

	return { name, file: null, role: -1, brief: name };
}

/*
 * What a picture shows of a tree: `width` of each node, `own` part of it, and where two moments or profiles are compared, `before`
 * (else null). Between two moments what was allocated is its own difference, and is never negative.
 */
export function makeScene(tree, measure, rows, rowsBefore, moments) {
	const own = selfOf(rows, measure), before = rowsBefore ? selfOf(rowsBefore, measure) : null;
	const isOwn = before && moments && !isInuse(measure);

	if (isOwn)
		before.forEach((value, node) => own[node] = Math.max(0, own[node] - value));
	return { tree, measure, own, width: totalOf(tree, own), before: before && !isOwn ? totalOf(tree, before) : null };
}

/*
 * `hit`: 1 for each node that fits a text; `within`: how many of them there are in a node and below it; `total` of all of them: one
 * that is below another is part of it.
 */
export function findNodes({ tree, width }, text) {
	const fits = tree.functions.map(({ name, file }) => holds(text, name, file)), inside = [false];
	let total = 0;
	const hit = Float64Array.from(tree.parent, (parent, node) => {
		const is = node > 0 && !tree.gathered[node] && fits[tree.function[node]];

		inside[node] = inside[parent] || is;
		total += is && !inside[parent] ? width[node] : 0;
		return is ? 1 : 0;
	});

	return { hit, within: totalOf(tree, hit), total };
}

/* The functions of a scene with their sums: one that calls itself counts once. The table that says what the picture shows. */
export function functionSums({ tree, width, own, before }) {
	const sums = new Map(), keyOf = (node) => tree.gathered[node] ? "(smaller)" : tree.function[node];

	for (let node = 1; node < width.length; node++) {
		const key = keyOf(node), made = tree.gathered[node] ? { name: key, brief: key } : functionOf(tree, node);
		const sum = sums.get(key) || { ...made, total: 0, self: 0, before: 0 };
		let above = tree.parent[node];

		while (above && keyOf(above) !== key)
			above = tree.parent[above];
		sum.self += own[node];
		sum.total += above ? 0 : width[node];
		sum.before += above || !before ? 0 : before[node];
		sums.set(key, sum);
	}
	return [...sums.values()].filter((sum) => sum.total > 0 || sum.before > 0);
}

/* The node that a stack leads to, frames from the root on, as far as the tree has it. */
export function nodeOfStack(tree, functions) {
	let node = 0;

	for (const wanted of functions) {
		const next = tree.children[node].find((child) => !tree.gathered[child] && tree.function[child] === wanted);

		if (next === undefined)
			break;
		node = next;
	}
	return node;
}

/* Where a place in one tree, a way of steps from its root, is in another one of the same stacks: as much of the way as that has. */
export function carryWay(way, from, to) {
	const carried = [{ node: 0 }];

	for (const { node, members } of way.slice(1)) {
		const { name, file } = functionOf(from, node), at = carried[carried.length - 1].node;
		const next = to.children[at].find((child) => !to.gathered[child] && functionOf(to, child).name === name && functionOf(to, child).file === file);

		if (members || from.gathered[node] || next === undefined)
			break;
		carried.push({ node: next });
	}
	return carried;
}

/*
 * The tree from the leaf on, where there is none made by heaptap: of two moments, and of two profiles; and what its nodes have. What a
 * node has itself is in the other tree that of the path from it to the root.
 */
export function invertTree(tree, ...rowsOfAll) {
	const inverted = { function: [0], line: [0], gathered: [0], parent: [0] }, known = new Map();
	const callerOf = (above, node) => {
		const key = `${above}/${tree.gathered[node] ? "smaller" : tree.function[node]}`;

		if (!known.has(key)) {
			known.set(key, inverted.parent.push(above) - 1);
			inverted.function.push(tree.function[node]);
			inverted.line.push(tree.line[node]);
			inverted.gathered.push(0);
		}
		inverted.gathered[known.get(key)] += tree.gathered[node];
		return known.get(key);
	};
	const ends = tree.parent.map((_, node) => {
		let end = 0;

		if (rowsOfAll.some((rows) => rows && rows[node].some(Boolean)))
			for (let at = node; at; at = tree.parent[at])
				end = callerOf(end, at);
		return end;
	});
	const carry = (rows) => {
		const carried = inverted.parent.map(() => [0, 0, 0, 0]);

		rows.forEach((row, node) => row.forEach((value, measure) => carried[ends[node]][measure] += value));
		return carried;
	};

	return { tree: makeTree(inverted, tree.functions), rows: rowsOfAll.map((rows) => rows && carry(rows)) };
}
