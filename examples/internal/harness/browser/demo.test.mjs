// Walks through the demo page as somebody with an authenticator app would, in
// headless Chromium, and leaves screenshots in ./screenshots.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";

import { code, readQR } from "./authenticator.mjs";
import { startServer } from "./server.mjs";

const screenshots = path.join(import.meta.dirname, "screenshots");
const flags = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

let work, server, browser;

before(async () => {
  await mkdir(screenshots, { recursive: true });
  work = await mkdtemp(path.join(tmpdir(), "devicetotp-browser-"));
  server = await startServer(work);
  browser = await chromium.launchPersistentContext(path.join(work, "profile"), {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: flags,
    viewport: { width: 900, height: 1000 },
    deviceScaleFactor: 2,
  });
});

after(async () => {
  await browser?.close();
  const log = await server?.stop();
  await rm(work, { recursive: true, force: true });
  assert.match(log, /msg=stopped/, "the server ended as it should");
});

// open returns the page, and what it must not do: ask for anything at another
// place, put anything into an address, or complain.
async function open() {
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
  return { page, seen };
}

function requireQuiet(seen, secrets) {
  assert.deepEqual(seen.complaints, []);
  for (const url of seen.urls) {
    if (url.startsWith("data:image/png;base64,") || url === "data:,") continue;
    assert.ok(url.startsWith(server.base + "/"), `${url} is somewhere else`);
    assert.equal(new URL(url).search, "", url);
    for (const secret of secrets) assert.ok(!url.includes(secret), url);
  }
}

test("a device is created, its code accepted once and refused the second time", async () => {
  const { page, seen } = await open();
  await page.getByRole("button", { name: "Create device" }).click();
  const picture = page.getByRole("img", { name: /QR code/ });
  await picture.waitFor();
  assert.match(await page.getByRole("status").textContent(), /^Created against the PIN/);

  // What an app's camera reads is what the page says for typing.
  await page.getByText("Type it in instead").click();
  const secret = (await page.locator("#secret").textContent()).replaceAll(" ", "");
  assert.match(secret, /^[A-Z2-7]{32}$/);
  const address = new URL(readQR(await picture.getAttribute("src")));
  assert.equal(address.protocol, "otpauth:");
  assert.equal(address.host, "totp");
  assert.equal(decodeURIComponent(address.pathname), "/devicetotp example:demo");
  assert.deepEqual(Object.fromEntries(address.searchParams), {
    secret, issuer: "devicetotp example", algorithm: "SHA1", digits: "6", period: "30",
  });
  // And from the screen, as it is drawn there.
  assert.equal(new URL(readQR(await picture.screenshot())).searchParams.get("secret"), secret);
  await page.screenshot({ path: path.join(screenshots, "created.png"), fullPage: true });

  const typed = code(secret);
  const answers = page.getByRole("log").getByRole("listitem");
  await page.getByLabel("Code of the app").fill(typed);
  await page.getByRole("button", { name: "Check code" }).click();
  await answers.nth(0).waitFor();
  assert.match(await answers.nth(0).textContent(), new RegExp(`^${typed} accepted`));

  await page.getByLabel("Code of the app").fill(typed);
  await page.keyboard.press("Enter");
  await answers.nth(1).waitFor();
  assert.match(await answers.nth(1).textContent(), new RegExp(`^${typed} refused: 403 invalid-credentials`));
  assert.equal(await answers.count(), 2);
  await page.screenshot({ path: path.join(screenshots, "refused.png"), fullPage: true });

  requireQuiet(seen, [secret, typed, "8299"]);
  for (const kept of [secret, typed, "otpauth", "base64"]) {
    assert.ok(!server.log().includes(kept), "the log holds no secret");
  }
  await page.close();
});

test("a wrong credential makes no device, and nothing is enough right after registration", async () => {
  const { page, seen } = await open();
  await page.getByLabel("PIN").fill("0000");
  await page.getByRole("button", { name: "Create device" }).click();
  const told = page.getByRole("status");
  await told.filter({ hasText: "403 invalid-credentials" }).waitFor();
  assert.ok(await page.getByRole("img").isHidden());
  await page.screenshot({ path: path.join(screenshots, "wrong-pin.png"), fullPage: true });

  await page.getByLabel("Access token").fill("new");
  await page.getByLabel("PIN").fill("");
  await page.getByRole("button", { name: "Create device" }).click();
  await told.filter({ hasText: "Created without a credential" }).waitFor();
  requireQuiet(seen, ["0000"]);
  await page.close();
});

test("everything can be reached and read without a mouse, in the dark and on a phone", async () => {
  const { page } = await open();
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 360, height: 740 });
  for (const input of await page.locator("input").all()) {
    assert.equal(await input.evaluate((element) => element.labels.length), 1);
  }
  await page.getByLabel("PIN").press("Enter");
  await page.getByRole("img", { name: /QR code/ }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "scan-title", "where to read on");
  await page.keyboard.press("Tab"); // to the secret for typing
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "code");
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  assert.equal(wide, false, "nothing is cut off on a phone");
  await page.screenshot({ path: path.join(screenshots, "phone-dark.png"), fullPage: true });
  await page.close();
});
