// The demo page with accounts of somebody's own: what it takes, shows and hides.
import assert from "node:assert/strict";
import { test } from "node:test";

import { code } from "./authenticator.mjs";
import { check, create, open, press, requireQuiet, shoot, site } from "./page.mjs";

const account = (token) => ({ id: token, token, registered_ago: "10m", pin: "8299", password: "superSecret12345!" });
const here = site(["printed", "hidden", "blocked", "devices", "recovery", "removed"].map(account));

test("the demo accounts are not named where they are not", async () => {
  const { page } = await open(here);
  assert.equal(await page.getByText("demo accounts").count(), 0);
  for (const label of ["Access token", "PIN"]) assert.equal(await page.getByLabel(label).inputValue(), "");
  await page.close();
});

test("codes are taken as apps print them", async () => {
  const { page } = await open(here, "printed");
  const print = (text) => text.slice(0, 3) + " " + text.slice(3);
  const secret = await create(page, { PIN: "8299" });
  const now = code(secret);
  assert.match(await check(page, print(now)), new RegExp(`^${now} accepted`));
  // The others are of no step that is accepted, and are refused for what they are
  // and not for their form.
  for (const [pasted, meant] of [["155\u00a0283", "155283"], ["155-283", "155283"], [" 155\u2009283\n", "155283"], ["１５５２８３", "155283"]]) {
    assert.match(await check(page, pasted), new RegExp(`^${meant} refused: 403 `), JSON.stringify(pasted));
  }
  await page.close();
});

test("a refusal hides the secret that was shown before", async () => {
  const { page } = await open(here, "hidden");
  const secret = await create(page, { PIN: "8299" });
  assert.ok(await page.locator("#qr").isVisible());
  await page.getByLabel("PIN").fill("0000");
  await press(page, "Create device");
  assert.match(await page.locator("#created").textContent(), /^Refused: 403 invalid-credentials/);
  assert.ok(await page.locator("#scan").isHidden());
  assert.ok(await page.locator("#check").isHidden());
  const left = await page.content();
  for (const trace of [secret, secret.match(/.{4}/g).join(" "), "otpauth:", "data:image"]) {
    assert.ok(!left.includes(trace), `the page holds ${trace}`);
  }

  await create(page, { PIN: "8299" });
  await page.getByLabel("Access token").fill("printed");
  assert.ok(await page.locator("#scan").isHidden(), "another token");
  assert.ok(!(await page.content()).includes("otpauth:"));
  await page.close();
});

test("too many attempts say when to try again", async () => {
  const { page } = await open(here, "blocked");
  await page.getByLabel("PIN").fill("0000");
  const told = page.locator("#created");
  for (const expected of [...Array(5).fill("invalid-credentials"), "too-many-attempts"]) {
    await press(page, "Create device");
    assert.match(await told.textContent(), new RegExp(expected));
  }
  assert.match(await told.textContent(), /Try again in (\d|[12]\d|30) seconds, at \d?\d:\d\d:\d\d( [AP]M)?\.$/);
  await shoot(page, "too-many-attempts");
  await page.close();
});

test("devices are listed, named and removed", async () => {
  const { page, seen } = await open(here, "devices");
  page.on("dialog", (dialog) => dialog.accept());
  const items = page.locator("#devices > li");
  await press(page, "Show devices");
  assert.match(await page.locator("#listed").textContent(), /^None/);
  const secret = await create(page, { PIN: "8299" });
  const id = await page.locator("#device").textContent();
  await create(page, { Password: "superSecret12345!" });
  assert.equal(await items.count(), 2);
  assert.match(await items.nth(0).textContent(), new RegExp(`never used.*${id}`, "s"));
  assert.ok(!(await items.nth(0).textContent()).includes(secret));

  await items.nth(0).getByLabel("Name").fill("Zoë’s <phone>");
  await press(page, "Rename", items.nth(0));
  assert.match(await items.nth(0).getByRole("status").textContent(), /Renamed/);
  await items.nth(1).getByLabel("Name").fill("a\u202eb");
  await press(page, "Rename", items.nth(1));
  assert.match(await items.nth(1).getByRole("status").textContent(), /422 invalid-argument/);
  await press(page, "Show devices");
  assert.equal(await page.evaluate(() => document.activeElement.id), "devices-title");
  assert.equal(await items.nth(0).getByLabel("Name").inputValue(), "Zoë’s <phone>");
  assert.equal(await items.nth(1).getByLabel("Name").inputValue(), "");
  await shoot(page, "devices");

  await items.nth(0).getByRole("button", { name: "Remove" }).click();
  await page.locator("#listed").filter({ hasText: "Removed. Zoë’s <phone>" }).waitFor();
  assert.equal(await items.count(), 1);
  assert.ok(!(await items.textContent()).includes(id));
  requireQuiet(here, seen, [secret, "8299", "superSecret12345!"]);
  await page.close();
});

test("a device that is removed takes its secret off the page, and one that is kept stays", async () => {
  const { page } = await open(here, "removed");
  await create(page, { PIN: "8299" });
  page.once("dialog", (dialog) => dialog.dismiss());
  await page.getByRole("button", { name: "Remove" }).click();
  assert.ok(await page.locator("#scan").isVisible());
  assert.equal(await page.locator("#devices > li").count(), 1);
  page.once("dialog", (dialog) => dialog.accept());
  await page.getByRole("button", { name: "Remove" }).click();
  await page.locator("#listed").filter({ hasText: "Removed" }).waitFor();
  assert.ok(await page.locator("#scan").isHidden());
  assert.ok(!(await page.content()).includes("otpauth:"));
  await page.close();
});

test("recovery codes are shown once, and each makes a device", async () => {
  const { page, seen } = await open(here, "recovery");
  await press(page, "Make recovery codes");
  assert.match(await page.locator("#made").textContent(), /403 credentials-required/);
  await page.getByLabel("PIN").fill("8299");
  await press(page, "Make recovery codes");
  const list = page.getByRole("list", { name: "Recovery codes, shown once" });
  const codes = await list.getByRole("listitem").allTextContents();
  assert.equal(codes.length, 10);
  await shoot(page, "recovery-codes");

  await create(page, { "One-time code": codes[4].toUpperCase() });
  assert.ok(await list.isHidden(), "shown once");
  const left = await page.evaluate(() => document.body.innerHTML);
  for (const one of codes) assert.ok(!left.includes(one));
  await press(page, "Create device");
  assert.match(await page.locator("#created").textContent(), /403 invalid-credentials/);
  requireQuiet(here, seen, codes);
  for (const one of codes) assert.ok(!here.server.log().includes(one), "the log holds no secret");
  await page.close();
});
