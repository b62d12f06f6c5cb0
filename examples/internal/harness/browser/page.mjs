// The demo page in headless Chromium, and what it must not do.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before } from "node:test";

import { chromium } from "playwright-core";

import { startServer } from "./server.mjs";

const screenshots = path.join(import.meta.dirname, "screenshots");
const flags = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// site is the server and the browser that the tests of one file share.
export function site(accounts) {
  const own = {};
  before(async () => {
    await mkdir(screenshots, { recursive: true });
    own.work = await mkdtemp(path.join(tmpdir(), "devicetotp-browser-"));
    own.server = await startServer(own.work, accounts);
    own.browser = await chromium.launchPersistentContext(path.join(own.work, "profile"), {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: flags,
      viewport: { width: 900, height: 1000 },
      deviceScaleFactor: 2,
    });
  });
  after(async () => {
    await own.browser?.close();
    const log = await own.server?.stop();
    await rm(own.work, { recursive: true, force: true });
    assert.match(log, /msg=stopped/, "the server ended as it should");
  });
  return own;
}

// open returns the page, and what it must not do: ask for anything at another
// place, put anything into an address, or complain.
export async function open({ browser, server }, token) {
  const page = await browser.newPage();
  const seen = { urls: [], complaints: [] };
  page.on("request", (request) => seen.urls.push(request.url()));
  page.on("console", (message) => {
    // Chromium itself notes each refused request there; refusals are the point.
    if (!/status of (403|422)/.test(message.text())) seen.complaints.push(message.text());
  });
  page.on("pageerror", (error) => seen.complaints.push(String(error)));
  const response = await page.goto(server.base + "/demo");
  assert.match(response.headers()["content-security-policy"], /default-src 'none'/);
  if (token) await page.getByLabel("Access token").fill(token);
  return { page, seen };
}

export function requireQuiet({ server }, seen, secrets) {
  assert.deepEqual(seen.complaints, []);
  for (const url of seen.urls) {
    if (url.startsWith("data:image/png;base64,") || url === "data:,") continue;
    assert.ok(url.startsWith(server.base + "/"), `${url} is somewhere else`);
    assert.equal(new URL(url).search, "", url);
    for (const secret of secrets) assert.ok(!url.includes(secret), url);
  }
}

// press presses a button of a form, and waits for what comes of it.
export async function press(page, name, within = page) {
  const button = within.getByRole("button", { name });
  await button.click();
  await button.and(page.locator(":not([aria-disabled])")).waitFor();
}

// create creates a device, and returns its secret.
export async function create(page, presented) {
  for (const label of ["One-time code", "Password", "PIN"]) {
    await page.getByLabel(label, { exact: true }).fill(presented[label] ?? "");
  }
  await press(page, "Create device");
  assert.match(await page.locator("#created").textContent(), /^Created/);
  return (await page.locator("#secret").textContent()).replaceAll(" ", "");
}

// answers are those to the codes that were typed.
export function answers(page) {
  return page.getByRole("log").getByRole("listitem");
}

// check types a code, and returns the answer to it.
export async function check(page, typed) {
  await page.getByLabel("Code of the app").fill(typed);
  await press(page, "Check code");
  return answers(page).last().textContent();
}

export function shoot(page, name, fullPage = true) {
  return page.screenshot({ path: path.join(screenshots, name + ".png"), fullPage });
}

// requireAccessible holds the page against the rules of axe-core, all of them.
export async function requireAccessible(page, where) {
  await page.evaluate(axe); // not as a script: the policy of the page holds
  const found = await page.evaluate(async () => {
    const { violations, incomplete } = await globalThis.axe.run(document, { resultTypes: ["violations", "incomplete"] });
    const short = (rules) => rules.map((rule) => `${rule.id}: ${rule.nodes.map((node) => node.html + " " + node.failureSummary).join("\n")}`);
    return { violations: short(violations), incomplete: short(incomplete) };
  });
  assert.deepEqual(found, { violations: [], incomplete: [] }, where);
}

// requireInView asserts that all of an element can be seen without scrolling.
export async function requireInView(page, locator, what) {
  const box = await locator.boundingBox();
  const { width, height } = page.viewportSize();
  assert.ok(box, `${what} is not shown`);
  assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height,
    `${what} is out of view: ${JSON.stringify(box)} of ${width} by ${height}`);
}
