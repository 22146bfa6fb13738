// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unknown.mjs PAGE EXPECTED: members of the data that docs/formats.md lets be null are null, and absent: those of each kind of object, and
 * all. What is known is shown as before. EXPECTED is JSON: {total: bytes in use, as text; curves: how long the objects of each site live}.
 */
import assert from "node:assert/strict";
import { assertQuiet, close, end, open } from "./browser.mjs";
import { assertSurvival } from "./survival.mjs";
import { assertFigures, copyWith, tour } from "./tour.mjs";

const [path, text] = process.argv.slice(2), { total, curves } = JSON.parse(text);

const sites = (data) => data.views.flatMap((view) => view.sites).filter((site) => !site.gathered);
const MEMBERS = [
	["recording", (data) => [data.recording], ["attach", "start_unix_ns"]],
	["processes", (data) => data.processes, ["comm", "container", "ended", "inuse_space", "inuse_objects", "rss_start", "rss_end", "rss_peak", "verdict",
		"growth", "growth_error", "view"]],
	["facts", (data) => data.views.map((view) => view.facts), ["peak", "rss", "memory"]],
	["views", (data) => data.views, ["facts", "growth", "cost"]],
	["sites", sites, ["verdict", "growth", "growth_error", "median_ns", "survival", "history"]],
];

/* Values within: errors, points of curves, the files of functions. */
function forget(data) {
	sites(data).forEach((site) => site.error.fill(null));
	sites(data).forEach((site) => site.survival.forEach((point) => point.fill(null, 1)));
	data.views.forEach((view) => view.tree.variance.forEach((row) => row.fill(null)));
	data.views.forEach((view) => view.functions.forEach((entry) => entry[1] = null));
	data.views.forEach((view) => view.timeline.forEach((point) => point[5] = null));
}

function setNull(objects, names) {
	objects.forEach((object) => names.forEach((name) => object[name] = null));
}

async function isShown(name, change, look = assertFigures) {
	await open(copyWith(path, name, change), { tab: page });
	assert.equal(await page.locator("#measures strong").first().innerText(), total);
	await page.locator("#table tbody button").first().click();
	await look(page);
	assertQuiet(page);
}

const page = await open(path);

await assertSurvival(page, curves);
await isShown("values", forget);
for (const [name, objects, names] of MEMBERS) {
	await isShown(`null_${name}`, (data) => setNull(objects(data), names));
	await isShown(`no_${name}`, (data) => objects(data).forEach((object) => names.forEach((member) => delete object[member])));
}
await isShown("nothing", (data) => {
	forget(data);
	MEMBERS.forEach(([, objects, names]) => setNull(objects(data), names));
}, tour);
await close(page);
await end();
