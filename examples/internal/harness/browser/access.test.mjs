// The demo page for everybody: with axe-core, without a mouse, in the dark, in the
// colours of the system, and on the narrowest phone.
import assert from "node:assert/strict";
import { test } from "node:test";

import { code } from "./authenticator.mjs";
import { answers, check, create, open, press, requireAccessible, requireInView, shoot, site } from "./page.mjs";

const account = (token) => ({ id: token, token, registered_ago: "10m", pin: "8299" });
const here = site(["light", "dark", "forced", "small", "keys"].map(account));

// walk brings everything that the page can show onto it, and calls look at each
// step.
async function walk(page, look) {
  await look("empty");
  const secret = await create(page, { PIN: "8299" });
  await page.getByText("Type it in instead").click();
  await look("created");
  const now = code(secret);
  assert.match(await check(page, now), /accepted/);
  assert.match(await check(page, now), /refused/);
  await press(page, "Rename", page.locator("#devices > li"));
  await look("checked");
  await press(page, "Make recovery codes");
  await look("recovery");
  await page.getByLabel("PIN").fill("0000");
  await press(page, "Create device");
  await look("refused");
}

for (const scheme of ["light", "dark"]) {
  test(`axe finds nothing: ${scheme}`, async () => {
    const { page } = await open(here, scheme);
    await page.emulateMedia({ colorScheme: scheme });
    await walk(page, async (step) => {
      await requireAccessible(page, `${scheme}, ${step}`);
      await shoot(page, `${scheme}-${step}`);
    });
    await page.close();
  });
}

// In forced colours a button has the background of the page, so its border is what
// is seen of it.
test("forced colours show the buttons", async () => {
  const { page } = await open(here, "forced");
  await walk(page, async (step) => {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ forcedColors: "active", colorScheme });
      await requireBorders(page);
      await shoot(page, `forced-${colorScheme}-${step}`);
    }
  });
  await page.close();
});

async function requireBorders(page) {
  const buttons = await page.getByRole("button").all();
  assert.ok(buttons.length >= 3);
  for (const button of buttons) {
    const [border, background, width, style] = await button.evaluate((element) => {
      const own = getComputedStyle(element);
      return [own.borderTopColor, getComputedStyle(element.closest("section")).backgroundColor, own.borderTopWidth, own.borderTopStyle];
    });
    assert.notEqual(border, background, await button.textContent());
    assert.equal(style, "solid");
    assert.ok(parseFloat(width) >= 1, width);
  }
}

test("on a narrow phone, what was just made is in view", async () => {
  const { page } = await open(here, "small");
  await page.setViewportSize({ width: 320, height: 568 });
  const seen = async (what, ...locators) => {
    for (const locator of locators) await requireInView(page, locator, what);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    assert.equal(wide, false, `nothing is cut off: ${what}`);
    await shoot(page, `small-${what.replaceAll(" ", "-")}`, false);
  };
  const secret = await create(page, { PIN: "8299" });
  await seen("the QR code", page.locator("#qr"), page.getByRole("link", { name: "Open in the app on this device" }));
  const now = code(secret);
  for (const nth of [0, 1, 2, 3]) {
    await check(page, nth === 0 ? now : "000000");
    await seen(`answer ${nth}`, answers(page).nth(nth));
  }
  await press(page, "Make recovery codes");
  await seen("recovery codes", page.locator("#codes"), page.locator("#made"));
  await press(page, "Show devices");
  await seen("the device", page.locator("#devices > li"));
  await press(page, "Rename", page.locator("#devices > li"));
  await seen("renamed", page.locator("#devices > li").getByRole("status").filter({ hasText: "Renamed" }));
  await page.getByLabel("PIN").fill("0000");
  await press(page, "Create device");
  await seen("the refusal", page.locator("#created"));
  await page.close();
});

test("everything can be reached and read without a mouse", async () => {
  const { page } = await open(here, "keys");
  await page.getByLabel("PIN").fill("8299");
  await page.getByLabel("PIN").press("Enter");
  await page.getByRole("img", { name: /QR code/ }).waitFor();
  await page.waitForFunction(() => document.activeElement.id === "scan-title"); // where to read on
  for (const id of ["open", "", "code"]) { // the link, the secret for typing, the code
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.id), id);
  }
  const secret = (await page.locator("#secret").textContent()).replaceAll(" ", "");
  const now = code(secret);
  await page.keyboard.type(now);
  await page.keyboard.press("Enter");
  await answers(page).nth(0).waitFor();
  await page.waitForFunction(() => document.activeElement.id === "code");
  assert.equal(await page.evaluate(() => getSelection().toString()), now, "ready for the next one");
  for (const input of await page.locator("input").all()) {
    assert.equal(await input.evaluate((element) => element.labels.length), 1);
  }
  await page.close();
});
