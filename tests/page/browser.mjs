// SPDX-License-Identifier: GPL-2.0-or-later
/* A page in Debian's Chromium, opened from disk. Whatever it asks for, logs or throws is kept, and at the end there must be nothing. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const ARGS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
/* A GPU process, whose pictures are computed here: for WebGL, and to see what a user's browser takes. Every page is dearer with it. */
const WITH_GPU = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"], WITHOUT_GPU = ["--disable-gpu"];
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser = null;

async function newTab(options) {
	browser = browser || await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
		args: [...ARGS, ...(options.gpu ? WITH_GPU : WITHOUT_GPU)] });
	const context = await browser.newContext({ colorScheme: options.scheme || "light", viewport: { width: options.width || 1280, height: 1000 },
		javaScriptEnabled: options.script !== false });
	const page = await context.newPage();

	page.setDefaultTimeout(Number(process.env.DEADLINE_MS || 20000));
	page.complaints = [];
	page.on("request", (request) => request.url() !== page.asked && page.complaints.push(`asks for ${request.url()}`));
	page.on("console", (message) => page.complaints.push(`${message.type()}: ${message.text()}`));
	page.on("pageerror", (error) => page.complaints.push(`throws ${error.stack}`));
	page.on("dialog", (dialog) => page.complaints.push(`says ${dialog.message()}`) && dialog.dismiss());
	return page;
}

/* With all its data, if it is a page of ours. `path` may be a URL. `options`: {scheme, width, script: false, hash, gpu: true, meanwhile, tab}; gpu is
 * for the first page of a script, and `meanwhile` is called with the page once that shows a picture, before it has all its data. `tab` is a page
 * that is needed no more, opened with the same options: a new tab takes three times the processor time. */
export async function open(path, options = {}) {
	const page = options.tab || await newTab(options);

	page.asked = (path.startsWith("http:") ? path : pathToFileURL(path).href) + (options.hash ? `#${options.hash}` : "");
	await page.goto(page.asked, { waitUntil: options.meanwhile ? "commit" : "load" });
	if (options.meanwhile) {
		await page.locator(".box").first().waitFor();
		await options.meanwhile(page);
	}
	if (options.script !== false)
		await page.locator("#page[aria-busy]").waitFor({ state: "detached" });
	return page;
}

/* No request, no word on the console, no dialog. */
export function assertQuiet(page) {
	assert.deepEqual(page.complaints, []);
}

export async function close(page) {
	assertQuiet(page);
	await page.context().close();
}

export async function end() {
	await browser?.close();
	browser = null;
}

/* Nothing that keeps anyone from using it. Only violations leave the page: the nodes that pass are thousands, and dear to send. */
export async function assertAccessible(page) {
	await page.evaluate(axe);
	const violations = await page.evaluate(async () => (await globalThis.axe.run({ resultTypes: ["violations"] })).violations);
	const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");

	assert.deepEqual(grave.map(({ id, nodes }) => `${id}: ${nodes[0].html} ${nodes[0].failureSummary}`), []);
}

/* The text of an element, its blanks as one. */
export async function textOf(page, selector) {
	return (await page.locator(selector).innerText()).replace(/\s+/g, " ").trim();
}

export async function textsOf(page, selector) {
	return (await page.locator(selector).allInnerTexts()).map((text) => text.replace(/\s+/g, " ").trim());
}

/* The table: a list of rows, each {head: cell}. */
export async function rowsOf(page, selector) {
	const heads = (await textsOf(page, `${selector} thead th`)).map((head) => head.replace(/ [\u25be\u25b4]$/, ""));
	const rows = await page.locator(`${selector} tbody tr`).all(), result = [];

	for (const row of rows) {
		const cells = (await row.locator("th, td").allInnerTexts()).map((text) => text.replace(/\s+/g, " ").trim());

		result.push(Object.fromEntries(cells.map((cell, at) => [heads[at], cell])));
	}
	return result;
}

/* The box of a function. */
export function boxOf(page, name) {
	return page.locator(`.box[aria-label^="${name},"]`).first();
}

export async function chooseMeasure(page, measure) {
	await page.locator(`label[for=measure-${["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"].indexOf(measure)}]`).click();
}
