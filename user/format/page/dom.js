// SPDX-License-Identifier: GPL-2.0-or-later
/* Elements from names and attributes. Text always becomes a text node: nothing that a profile says is ever parsed. */

const SVG = "http://www.w3.org/2000/svg";

function flat(children) {
	return children.flat(Infinity).filter((child) => child !== null && child !== undefined);
}

function fill(element, attributes, children) {
	for (const [name, value] of Object.entries(attributes))
		if (name.startsWith("on"))
			element.addEventListener(name.slice(2), value);
		else if (value !== null && value !== undefined && value !== false)
			element.setAttribute(name, value === true ? "" : value);
	element.append(...flat(children));
	return element;
}

export function html(tag, attributes, ...children) {
	return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
	return fill(document.createElementNS(SVG, tag), attributes, children);
}

export function button(attributes, ...children) {
	return html("button", { type: "button", ...attributes }, children);
}

export function byId(id) {
	return document.getElementById(id);
}

export function hasFocus(id) {
	return byId(id).contains(document.activeElement);
}

/* The focus, if it was on something within, goes to what stands in its place: who uses keys alone would have to begin anew. */
export function put(id, ...children) {
	const within = () => [...byId(id).querySelectorAll("button, input")], at = within().indexOf(document.activeElement);

	byId(id).replaceChildren(...flat(children));
	if (at >= 0)
		(within()[at] || within().pop())?.focus();
}

export function show(id, shown) {
	byId(id).hidden = !shown;
}
