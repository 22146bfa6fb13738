// SPDX-License-Identifier: GPL-2.0-or-later
/* speedscope.mjs FILE.pb.gz BYTES: another reader of the same profile, speedscope, finds so many bytes in use in all. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { close, end, open } from "./browser.mjs";

/* As speedscope writes it. */
function inItsWords(bytes) {
	const [least, unit] = [[2 ** 30, "GB"], [2 ** 20, "MB"], [2 ** 10, "KB"]].find(([size]) => bytes >= size) || [1, "B"];

	return `${(bytes / least).toFixed(unit === "B" ? 0 : 2)} ${unit} (100%)`;
}

const [file, bytes] = process.argv.slice(2);
const release = dirname(createRequire(import.meta.url).resolve("speedscope/dist/release/index.html"));
const scratch = mkdtempSync(join(tmpdir(), "speedscope-")), script = join(scratch, "profile.js");

writeFileSync(script, `speedscope.loadFileFromBase64("heap.pb.gz", "${readFileSync(file).toString("base64")}")`);
const page = await open(join(release, "index.html"), { hash: `localProfilePath=${script}`, gpu: true });

await page.getByText("Sandwich").click();
await page.locator("tr", { hasText: "main" }).first().waitFor();
assert.ok((await page.locator("tr", { hasText: "main" }).allInnerTexts()).some((row) => row.includes(inItsWords(Number(bytes)))),
	`no row of main has ${inItsWords(Number(bytes))}`);
page.complaints.length = 0;
await close(page);
await end();
rmSync(scratch, { recursive: true });
