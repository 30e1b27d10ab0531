// Weighs the JavaScript of each built page, gzipped, and fails when a page is over its budget (UI7).
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const out = join(dirname(fileURLToPath(import.meta.url)), "../../putlive/api/static");
const budgets = { index: 200, embed: 200, login: 50, dashboard: 350 }; // kB of 1000 bytes

/** Every script a page can load: those it names, and what they import, now or later. */
function scriptsOf(page) {
  const html = readFileSync(join(out, `${page}.html`), "utf8");
  const found = new Set();
  const waiting = [...html.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map((m) => m[1]);
  while (waiting.length) {
    const path = waiting.pop();
    if (found.has(path)) continue;
    found.add(path);
    const code = readFileSync(join(out, path), "utf8");
    for (const [, imported] of code.matchAll(/(?:from|import)\s*\(?\s*["'`](\.{1,2}\/[^"'`]+\.js)["'`]/g)) {
      waiting.push(normalize(join(dirname(path), imported)));
    }
  }
  return [...found];
}

let over = false;
for (const [page, budget] of Object.entries(budgets)) {
  const scripts = scriptsOf(page);
  const kb = scripts.reduce((sum, path) => sum + gzipSync(readFileSync(join(out, path)), { level: 9 }).length, 0) / 1000;
  over ||= kb > budget || scripts.length === 0;
  console.log(`${page.padEnd(10)} ${kb.toFixed(1).padStart(6)} kB gzip of ${budget} kB in ${scripts.length} files${kb > budget ? "  OVER" : ""}`);
}
if (over) {
  console.error("A page is over its budget, or has no script: look at what it imports.");
  process.exit(1);
}
