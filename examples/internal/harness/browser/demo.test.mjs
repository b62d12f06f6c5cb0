// Walks through the demo page as somebody with an authenticator app would, in
// headless Chromium, and leaves screenshots in ./screenshots.
import assert from "node:assert/strict";
import { test } from "node:test";

import { code, readQR } from "./authenticator.mjs";
import { answers, check, create, open, press, requireQuiet, shoot, site } from "./page.mjs";

const here = site();

test("a device is created, its code accepted once and refused the second time", async () => {
  const { page, seen } = await open(here);
  await page.getByRole("button", { name: "Create device" }).click();
  const picture = page.getByRole("img", { name: /QR code/ });
  await picture.waitFor();
  assert.match(await page.locator("#created").textContent(), /^Created against the PIN/);

  // What an app's camera reads is what the page says for typing.
  await page.getByText("Type it in instead").click();
  const secret = (await page.locator("#secret").textContent()).replaceAll(" ", "");
  assert.match(secret, /^[A-Z2-7]{32}$/);
  const text = readQR(await picture.getAttribute("src"));
  const address = new URL(text);
  assert.equal(address.protocol, "otpauth:");
  assert.equal(address.host, "totp");
  assert.equal(decodeURIComponent(address.pathname), "/devicetotp example:demo");
  assert.deepEqual(Object.fromEntries(address.searchParams), {
    secret, issuer: "devicetotp example", algorithm: "SHA1", digits: "6", period: "30",
  });
  // And from the screen, as it is drawn there.
  assert.equal(new URL(readQR(await picture.screenshot())).searchParams.get("secret"), secret);
  // And what a tap opens on the phone that the page is read on.
  assert.equal(await page.getByRole("link", { name: "Open in the app on this device" }).getAttribute("href"), text);
  await shoot(page, "created");

  const typed = code(secret);
  assert.match(await check(page, typed), new RegExp(`^${typed} accepted`));
  const again = await check(page, typed);
  assert.match(again, new RegExp(`^${typed} refused: 403 invalid-credentials`));
  const other = typed === "000000" ? "000001" : "000000"; // right once in a million
  assert.equal((await check(page, other)).slice(6), again.slice(6), "a used code is not told from a wrong one");
  assert.equal(await answers(page).count(), 3);
  await shoot(page, "refused");

  requireQuiet(here, seen, [secret, typed, "8299"]);
  for (const kept of [secret, typed, "otpauth", "base64"]) {
    assert.ok(!here.server.log().includes(kept), "the log holds no secret");
  }
  await page.close();
});

test("a wrong credential makes no device, and nothing is enough right after registration", async () => {
  const { page, seen } = await open(here);
  await page.getByLabel("PIN").fill("0000");
  await page.getByRole("button", { name: "Create device" }).click();
  const told = page.locator("#created");
  await told.filter({ hasText: "403 invalid-credentials" }).waitFor();
  assert.ok(await page.getByRole("img").isHidden());
  await shoot(page, "wrong-pin");

  await page.getByLabel("Access token").fill("new");
  assert.equal(await told.textContent(), "", "what was said to another token");
  await create(page, {});
  assert.match(await told.textContent(), /^Created without a credential/);
  assert.match(await page.locator("#listed").textContent(), /listed once it has been used/);
  requireQuiet(here, seen, ["0000"]);
  await page.close();
});

test("a used one-time code is told from a wrong one, the code of a device is not", async () => {
  const { page } = await open(here);
  const refusal = async (otp) => {
    await page.getByLabel("PIN").fill("");
    await page.getByLabel("One-time code").fill(otp);
    await press(page, "Create device");
    return page.locator("#created").textContent();
  };
  const secret = await create(page, { "One-time code": "52 62-71" }); // as it was sent, or nearly
  assert.match(await page.locator("#created").textContent(), /against the one-time code/);
  assert.match(await refusal("526271"), /403 invalid-credentials.*was right, and has been used/);
  assert.doesNotMatch(await refusal("526272"), /has been used/);

  const used = code(secret);
  await create(page, { "One-time code": used });
  assert.match(await refusal(used), /403 invalid-credentials/);
  assert.doesNotMatch(await refusal(used), /has been used/);
  await page.close();
});

test("the demo accounts are named", async () => {
  const { page } = await open(here);
  assert.equal(await page.getByText("The demo accounts").count(), 1);
  assert.equal(await page.getByLabel("Access token").inputValue(), "good");
  await page.close();
});
