// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The picture of a call tree: a box for each function below the one that called it (icicle), above it (flame), or below the
 * one that it called (inverted, which has a tree of its own). Boxes are tree items, one of which has the focus.
 */
import { svg } from "./dom.js";
import { amount, change, share } from "./numbers.js";
import { ROLES, cutName, shadeOf } from "./names.js";
import { functionOf } from "./tree.js";

const ROW = 21, LEAST = 1, SHADES = 4, PAD = 5;

/* A step into the tree is a `node`, or `members`: those of its children that are too small to be seen. */
export function sizeOf(step, values) {
	return values && (step.members || [step.node]).reduce((sum, node) => sum + values[node], 0);
}

/* As functionOf(). */
export function functionOfStep(tree, step) {
	const count = (step.members || []).reduce((sum, node) => sum + (tree.gathered[node] || 1), 0), name = `(${count} smaller)`;

	return count ? { name, file: null, role: -1, brief: name } : functionOf(tree, step.node);
}

/* Larger ones first, and then what is smaller than `least`, in one. */
function stepsBelow({ tree, width }, step, least) {
	const children = (step.members || tree.children[step.node]).filter((node) => width[node] > 0);
	const shown = children.filter((node) => width[node] >= least).sort((a, b) => width[b] - width[a] || a - b);
	const small = children.filter((node) => width[node] < least), steps = shown.map((node) => ({ node }));

	if (small.length)
		steps.push(small.length === 1 && shown.length ? { node: small[0] } : { node: step.node, members: small });
	return steps;
}

/* The boxes below `zoom` in `pixels`: {node, members, x, width, depth, size, before, up, index, siblings}. */
function layOut(scene, zoom, pixels) {
	const scale = pixels / (sizeOf(zoom, scene.width) || 1), boxes = [];
	const add = (step, place) => boxes.push({ ...step, ...place, size: sizeOf(step, scene.width), before: sizeOf(step, scene.before) });

	add(zoom, { x: 0, width: pixels, depth: 0, up: null, index: 1, siblings: 1 });
	for (const box of boxes) {
		const steps = box.members && box.up ? [] : stepsBelow(scene, box, LEAST / scale);
		let x = box.x;

		steps.forEach((step, at) => {
			const width = Math.max(sizeOf(step, scene.width) * scale, LEAST);

			add(step, { x: Math.min(x, box.x + box.width - width), width, depth: box.depth + 1, up: box, index: at + 1, siblings: steps.length });
			x += width;
		});
	}
	return boxes;
}

/* 1 to 3: grown by more than a fiftieth, a fifth, a half of the larger size; -1 to -3: shrunk so. */
function growthOf(box) {
	const part = (box.size - box.before) / Math.max(box.size, box.before, 1);

	return Math.sign(part) * [0.02, 0.2, 0.5].filter((least) => Math.abs(part) > least).length;
}

/* Not by colour alone. */
function growthSign(box) {
	if (box.before === null || !growthOf(box))
		return "";
	return box.before === 0 ? "\u271a " : growthOf(box) > 0 ? "\u25b2 " : "\u25bc ";
}

function classOf(scene, box, found) {
	const { name, role } = functionOfStep(scene.tree, box);

	if (found)
		return sizeOf(box, box.members ? found.within : found.hit) ? "match" : "other";
	if (box.before !== null)
		return (growthOf(box) < 0 ? "less" : "more") + Math.abs(growthOf(box));
	if (role < 0)
		return box.node || box.members ? "gathered" : "all";
	return ROLES[role] + shadeOf(name, SHADES);
}

function labelOf(scene, box) {
	const moved = box.before === null ? "" : change(box.size - box.before, scene.measure);

	return [functionOfStep(scene.tree, box).brief, amount(box.size, scene.measure), share(box.size, scene.width[0]), moved].filter(Boolean).join(", ");
}

/* Its element; and what is written over it, null where nothing fits. */
function drawBox(scene, box, view) {
	const y = (view.flame ? view.rows - 1 - box.depth : box.depth) * ROW, width = Math.max(box.width - 0.5, 0.5);
	const columns = Math.floor((box.width - PAD * 2) / view.character);
	const text = columns >= 2 ? cutName(growthSign(box) + functionOfStep(scene.tree, box).brief, columns) : "";

	box.element = svg("g", { role: "treeitem", tabindex: -1, class: "box " + classOf(scene, box, view.found),
		"aria-level": box.depth + 1, "aria-posinset": box.index, "aria-setsize": box.siblings, "aria-label": labelOf(scene, box) },
	svg("rect", { x: box.x.toFixed(2), y, width: width.toFixed(2), height: ROW - 1, rx: Math.min(2, width / 3).toFixed(1) }));
	box.element.box = box;
	return text ? svg("text", { x: (box.x + PAD).toFixed(2), y: y + 14.5 }, text) : null;
}

/* The box where a key leads to. */
function neighbour(boxes, box, key, flame) {
	const row = boxes.filter((other) => other.depth === box.depth), at = row.indexOf(box), below = boxes.find((other) => other.up === box);
	const ways = { ArrowLeft: row[at - 1], ArrowRight: row[at + 1], Home: boxes[0], End: row[row.length - 1],
		ArrowUp: flame ? below : box.up, ArrowDown: flame ? box.up : below };

	return ways[key];
}

/* `on`: {look(box) under the pointer or with the focus, zoom(box), out()}. */
export function makePicture(frame, on) {
	/* Readers of the screen hear whole names, which the cut ones that are seen would contradict. */
	const root = svg("svg", { role: "presentation" }), tree = svg("g", { role: "tree", "aria-label": "call tree" });
	let boxes = [], flame = false, focused = null;

	function focus(box, take) {
		focused?.element.setAttribute("tabindex", -1);
		focused?.element.classList.remove("current");
		focused = box;
		box.element.setAttribute("tabindex", 0);
		box.element.classList.add("current");
		if (take)
			box.element.focus();
		on.look(box);
	}

	function press(box, event) {
		const next = neighbour(boxes, box, event.key, flame);

		if (event.ctrlKey || event.altKey || event.metaKey)
			return;
		if (next)
			focus(next, true);
		else if (event.key === "Enter" || event.key === " ")
			on.zoom(box);
		else if (event.key === "Escape")
			on.out();
		else if (!event.key.startsWith("Arrow"))
			return;
		event.preventDefault();
	}

	const listen = (kind, act) => root.addEventListener(kind, (event) => {
		const element = event.target.closest(".box");

		if (element)
			act(element.box, event);
	});

	listen("pointerover", on.look);
	listen("click", (box) => {
		focus(box, true);
		on.zoom(box);
	});
	listen("focusin", (box) => box !== focused && focus(box, false));
	listen("keydown", press);
	root.addEventListener("pointerleave", () => focused && on.look(focused));
	frame.replaceChildren(root);

	/* `zoom`: {node, members}; `options`: {flame, found: of findNodes(), or null, wanted: the node to have the focus, take: the focus is taken}. */
	return function draw(scene, zoom, options) {
		const pixels = Math.max(frame.clientWidth, 200), probe = svg("text", {}, "m".repeat(100));

		root.replaceChildren(probe);
		const character = probe.getComputedTextLength() / 100 || 7.3;

		flame = options.flame;
		boxes = layOut(scene, zoom, pixels);
		const rows = boxes[boxes.length - 1].depth + 1, height = rows * ROW;
		const names = boxes.map((box) => drawBox(scene, box, { ...options, rows, character }));

		for (const [name, value] of Object.entries({ viewBox: `0 0 ${pixels} ${height}`, width: pixels, height }))
			root.setAttribute(name, value);
		tree.replaceChildren(...boxes.map((box) => box.element));
		root.replaceChildren(tree, svg("g", { "aria-hidden": "true" }, names));
		focused = null;
		focus(boxes.find((box) => box.node === options.wanted && !box.members) || boxes[0], options.take);
		if (flame)
			frame.scrollTop = frame.scrollHeight;
	};
}
