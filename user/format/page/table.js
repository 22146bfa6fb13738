// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables. A column is {title, cell(row), sort(row), left}; the first one's cells are the heads of their rows. */
import { button, html, put } from "./dom.js";

const SHOWN = 100; /* rows at first */

/* What some rows do not have is an empty cell, and counts as 0. */
export function numberColumn(title, value, write) {
	return { title, sort: (row) => value(row) ?? 0, cell: (row) => value(row) === null || value(row) === undefined ? "" : write(value(row), row) };
}

export function textColumn(title, value, write = value) {
	return { title, left: true, sort: (row) => value(row) || "", cell: (row) => value(row) ? write(row) : "" };
}

/* `classOf(row)` may be left out. */
export function makeTable(caption, columns, rows, classOf = () => null) {
	const cell = (row) => (column, at) => html(at ? "td" : "th", { scope: at ? null : "row", class: column.left && "left" }, column.cell(row));

	return html("table", {}, html("caption", {}, caption),
		html("thead", {}, html("tr", {}, columns.map((column) =>
			html("th", { scope: "col", class: column.left && "left", "aria-sort": column.order }, column.title)))),
		html("tbody", {}, rows.map((row) => html("tr", { class: classOf(row) }, columns.map(cell(row))))));
}

/* Each row is a list, which may have more than the columns show. */
export function makeListTable(caption, titles, rows, classOf) {
	return makeTable(caption, titles.map((title, at) => ({ title, left: !at, cell: (row) => row[at] })), rows, classOf);
}

/* Below a line that opens it. */
export function makeFolded(line, table) {
	return html("details", { class: "twin" }, html("summary", {}, line), table);
}

/*
 * One that is sorted by a click on a head, into the element `id`. Its order is kept in `order`: {column, down}; a column that is not there
 * any more is none to sort by. Rows that stand for others (`gathered`) come last.
 */
export function drawSorted(id, caption, columns, rows, order, classOf) {
	let limit = SHOWN;

	function sorted() {
		const { sort } = columns[order.column];
		const compare = (a, b) => (order.down ? -1 : 1) * (typeof a === "string" ? a.localeCompare(b) : a - b);

		return rows.map((row) => ({ row, key: sort(row) }))
			.sort((a, b) => Boolean(a.row.gathered) - Boolean(b.row.gathered) || compare(a.key, b.key)).map(({ row }) => row);
	}

	function sortBy(column) {
		order.down = order.column === column ? !order.down : !columns[column].left;
		order.column = column;
		draw();
	}

	function headed(column, at) {
		const sign = at !== order.column ? "" : order.down ? " \u25be" : " \u25b4";

		return { ...column, order: !sign ? null : order.down ? "descending" : "ascending",
			title: button({ onclick: () => sortBy(at) }, column.title, html("span", { "aria-hidden": "true" }, sign)) };
	}

	function draw() {
		const more = () => {
			limit = rows.length;
			draw();
		};

		put(id, makeTable(caption, columns.map(headed), sorted().slice(0, limit), classOf),
			rows.length > limit ? button({ class: "more", onclick: more }, `Show ${rows.length - limit} more`) : null);
	}

	if (!columns[order.column])
		order.column = 1;
	draw();
}
