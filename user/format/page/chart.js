// SPDX-License-Identifier: GPL-2.0-or-later
/* Curves over time: what was in use while recording, how long objects live, and the small ones in tables. */
import { svg } from "./dom.js";
import { ALLOC_OBJECTS, ALLOC_SPACE, INUSE_OBJECTS, INUSE_SPACE, amount, bytes, isSpace, seconds, share } from "./numbers.js";
import { makeFolded, makeListTable } from "./table.js";

/* Where measures stand in a point of the timeline, behind its time. */
const COLUMN = { [INUSE_SPACE]: 1, [INUSE_OBJECTS]: 2, [ALLOC_SPACE]: 3, [ALLOC_OBJECTS]: 4 }, RSS = 5;
const RIGHT = 14, TOP = 12, BOTTOM = 22;

function line(points) {
	return points.map(([x, y], at) => `${at ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

function curve(kind, points) {
	return svg("path", { class: kind, d: line(points) });
}

/* What is within the points, the last of which is followed by the first. */
function area(kind, points) {
	return svg("path", { class: kind, d: line(points) + "Z" });
}

function areaUnder(points, floor) {
	return area("area", [...points, [points[points.length - 1][0], floor], [points[0][0], floor]]);
}

function rule(kind, x1, y1, x2, y2) {
	return svg("line", { class: kind, x1, y1, x2, y2 });
}

function frame(width, height, label, attributes, ...inside) {
	return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label, ...attributes }, inside);
}

/*
 * Axes of that size: across() and up() say where a part of the whole, from 0 to 1, has its place. Lines are drawn and named at some parts
 * of the height, and words written below.
 */
function makeAxes(width, height, left, lines, nameOfLine, words) {
	const floor = height - BOTTOM, right = width - RIGHT;
	const across = (part) => left + part * (right - left), up = (part) => floor - part * (floor - TOP);
	const text = (x, y, anchor, word) => svg("text", { x, y, "text-anchor": anchor, class: "axis" }, word);

	return { width, height, floor, across, up,
		grid: lines.map((part) => [rule("grid", left, up(part), right, up(part)), text(left - 6, up(part) + 4, "end", nameOfLine(part))]),
		words: words.map(([part, word]) => text(across(part), height - 5, part === 0 ? "start" : part === 1 ? "end" : "middle", word)) };
}

/* Lets the pointer draw a range of marks in a chart: paint(range) meanwhile, then choose(first, last). A click is everything until then. */
function letChoose(chart, markAt, paint, choose) {
	let begin = null;
	const drawn = (event) => [Math.min(begin, markAt(event)), Math.max(begin, markAt(event))];

	chart.classList.add("can-choose");
	chart.addEventListener("pointerdown", (event) => {
		begin = markAt(event);
		chart.setPointerCapture(event.pointerId);
	});
	chart.addEventListener("pointermove", (event) => begin !== null && paint(drawn(event)));
	chart.addEventListener("pointerup", (event) => {
		const [first, last] = drawn(event);

		begin = null;
		choose(first === last ? 0 : first, Math.max(last, 1));
	});
}

/* `marks`: times at which a range may begin and end; `range`: [first, last] of them, or null; `choose(first, last)` when it changes. */
export function drawTimeline(place, points, measure, marks, range, choose) {
	const column = COLUMN[measure], end = Math.max(points[points.length - 1][0], marks[marks.length - 1], 1);
	const resident = isSpace(measure) ? points.filter((point) => point[RSS]) : [];
	const most = Math.max(1, ...points.map((point) => point[column]), ...resident.map((point) => point[RSS]));
	const axes = makeAxes(Math.max(place.clientWidth, 300), 132, 74,
		[0, 0.5, 1], (part) => amount(part * most, measure), [[0, "0 s"], [1, seconds(end)]]);
	const across = (ns) => axes.across(ns / end), at = (point, of) => [across(point[0]), axes.up(point[of] / most)];
	/* heaptap has seen nothing yet at the beginning. */
	const seen = [[across(0), axes.floor], ...points.map((point) => at(point, column))];
	const chosen = svg("rect", { class: "chosen", y: TOP, height: axes.floor - TOP });
	const paint = ([first, last]) => {
		chosen.setAttribute("x", across(marks[first]));
		chosen.setAttribute("width", Math.max(across(marks[last]) - across(marks[first]), 2));
	};
	const chart = frame(axes.width, axes.height, `over time, at most ${amount(most, measure)}`, {}, axes.grid, chosen,
		areaUnder(seen, axes.floor), curve("curve", seen), resident.length > 1 ? curve("resident", resident.map((point) => at(point, RSS))) : null,
		marks.map((ns) => rule("tick", across(ns), axes.floor, across(ns), axes.floor + 4)), axes.words);
	const markAt = (event) => {
		const x = event.clientX - chart.getBoundingClientRect().left, far = (mark) => Math.abs(across(mark) - x);

		return marks.reduce((best, mark, index) => far(mark) < far(marks[best]) ? index : best, 0);
	};

	if (marks.length > 2)
		letChoose(chart, markAt, paint, choose);
	if (range)
		paint(range);
	place.replaceChildren(chart, makeFolded("As a table", makeListTable("Over time",
		["time", "in use", "objects in use", "allocated", "objects allocated", "resident"],
		points.map((point) => [seconds(point[0]), bytes(point[1]), amount(point[2], INUSE_OBJECTS), bytes(point[3]), amount(point[4], ALLOC_OBJECTS),
			point[RSS] ? bytes(point[RSS]) : ""]))));
}

/* Kaplan and Meier's curve is a staircase: a step where objects died. Points: [age_ns, estimate, lower, upper, at_risk]. */
export function drawSurvival(place, points, median) {
	const ages = points.map((point) => point[0]).filter((age) => age > 0), oldest = Math.max(...ages, 1), youngest = Math.min(...ages, oldest);
	const logarithmic = oldest > 64 * youngest, lowest = logarithmic ? Math.log(youngest / 2) : 0, span = Math.log(oldest) - lowest;
	const part = (age) => logarithmic ? (Math.log(Math.max(age, youngest / 2)) - lowest) / span : age / oldest;
	const ageAt = (x) => logarithmic ? Math.exp(lowest + x * span) : x * oldest;
	const { width, height, floor, across, up, grid, words } = makeAxes(Math.min(Math.max(place.clientWidth, 280), 640), 190, 46,
		[0, 0.25, 0.5, 0.75, 1], (value) => `${value * 100}%`, [0, 1 / 3, 2 / 3, 1].map((x) => [x, seconds(ageAt(x))]));
	const stairs = (column) => points.flatMap((point, at) => {
		const x = across(part(point[0]));

		return [...at ? [[x, up(points[at - 1][column])]] : [], [x, up(point[column])]];
	});
	const half = median !== null && median <= oldest ? across(part(median)) : null;

	place.replaceChildren(frame(width, height, "share of objects that live on, by age", {}, grid, area("band", [...stairs(3), ...stairs(2).reverse()]),
		curve("curve", stairs(1)), half === null ? null : rule("median", half, TOP, half, floor), words),
	makeFolded("As a table", makeListTable("Objects that live on, by age", ["age", "live on", "from", "to", "objects at risk"],
		points.map((point) => [seconds(point[0]), ...point.slice(1, 4).map((value) => share(value, 1)), amount(point[4], INUSE_OBJECTS)]))));
}

export function sparkline(values) {
	const width = 52, height = 18, most = Math.max(1, ...values), step = (width - 2) / Math.max(values.length - 1, 1);
	const points = values.map((value, at) => [1 + at * step, height - 2 - value / most * (height - 4)]);
	const label = `in use, from ${bytes(values[0])} to ${bytes(values[values.length - 1])}, at most ${bytes(most)}`;

	return frame(width, height, label, { class: "spark" }, areaUnder(points, height - 1), curve("curve", points));
}
