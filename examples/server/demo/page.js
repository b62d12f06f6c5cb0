// The script of the demo page. What comes from the server is put into the page as
// text, never as HTML. Secrets are not kept: what follows takes them off the page.
"use strict";

const at = (id) => document.getElementById(id);
const mediaType = "application/vnd.api+json";
const endpoint = "/user/devices/totp";
const bases = {
  otp: "against the one-time code.",
  password: "against the password.",
  pin: "against the PIN.",
  grace: "without a credential, shortly after registration.",
};
let deviceID = "";

// send asks the server as the owner of the access token, and returns its document,
// or what the first error object says.
async function send(method, path, body, type = "application/json") {
  const headers = { "Authorization": "Bearer " + at("token").value, "Accept": `${mediaType}, application/json` };
  if (body !== undefined) headers["Content-Type"] = type;
  try {
    const response = await fetch(path, {
      method, headers, body: JSON.stringify(body), cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer",
    });
    if (response.status === 204) return { document: {} };
    const document = await response.json();
    if (response.ok) return { document };
    const error = document.errors[0];
    return { refusal: `${response.status} ${error.code}`, detail: `${error.detail ?? error.title}${waiting(error.meta?.retryAfter)}` };
  } catch {
    return { refusal: "no answer", detail: "The server could not be reached, or answered in a form that this page does not know." };
  }
}

// waiting says when to try again, if the server has said how many seconds that is.
function waiting(seconds) {
  if (!seconds) return "";
  const then = new Date(Date.now() + seconds * 1000).toLocaleTimeString();
  return ` Try again in ${seconds} seconds, at ${then}.`;
}

// typed is a code as it was meant: apps print "155 283", and what is pasted may
// have dashes, no-break spaces and full-width digits. Anything else stays as it is.
function typed(text) {
  const digits = text.normalize("NFKC").replace(/[\s\p{Pd}]/gu, "");
  return /^[0-9]+$/.test(digits) ? digits : text;
}

function presented() {
  const values = {};
  for (const name of ["otp", "password", "pin"]) {
    const value = at(name).value;
    if (value !== "") values[name] = name === "otp" ? typed(value) : value;
  }
  return values;
}

// say fills an element with a verdict and what there is to say about it, in view.
function say(element, good, verdict, detail = "") {
  const strong = document.createElement("strong");
  strong.textContent = verdict;
  const more = document.createElement("span");
  more.className = "detail";
  more.textContent = " " + detail;
  element.className = `${element.dataset.kind ?? ""} ${good ? "good" : "bad"}`;
  element.replaceChildren(strong, more);
  element.scrollIntoView({ block: "nearest" });
}

function silence(...elements) {
  for (const element of elements) {
    element.className = element.dataset.kind;
    element.replaceChildren();
  }
}

// handle runs work when the form is sent, once at a time.
function handle(form, work) {
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true"); // and not disabled, which would lose the focus
    await work();
    button.removeAttribute("aria-disabled");
  });
}

// hideSecrets takes every secret off the page that it has shown.
function hideSecrets() {
  at("scan").hidden = at("check").hidden = at("codes").hidden = true;
  at("qr").removeAttribute("src");
  at("open").removeAttribute("href");
  at("secret").textContent = at("device").textContent = at("code").value = deviceID = "";
  at("answers").replaceChildren();
  at("codes").replaceChildren();
}

// Whoever has another token sees nothing of the one before.
at("token").addEventListener("input", () => {
  hideSecrets();
  at("devices").replaceChildren();
  silence(at("created"), at("listed"), at("made"));
});

handle(at("create"), async () => {
  const { document: device, refusal, detail } = await send("POST", "/demo/devices", presented());
  hideSecrets();
  silence(at("made"));
  if (!device) {
    say(at("created"), false, `Refused: ${refusal}.`, detail);
    return;
  }
  deviceID = device.deviceId;
  say(at("created"), true, "Created", bases[device.basis] ?? device.basis);
  at("qr").src = device.qr;
  at("open").href = device.uri;
  at("secret").textContent = device.secret.replace(/.{4}(?=.)/g, "$& ");
  at("device").textContent = deviceID;
  at("scan").hidden = at("check").hidden = false;
  await listDevices();
  reveal(at("scan-title"));
});

// reveal moves the focus to what is new, and the page so that it begins there.
function reveal(element) {
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: "start" });
}

handle(at("verify"), async () => {
  const code = typed(at("code").value);
  const { document: match, refusal, detail } = await send("POST", endpoint + "/verify", { code, deviceId: deviceID });
  if (match) await listDevices();
  const item = document.createElement("li");
  at("answers").append(item);
  if (match) {
    say(item, true, `${code} accepted.`, "It is spent now: this code is not accepted again.");
  } else {
    const which = refusal.endsWith("invalid-credentials") ? " It is wrong, or was accepted before: nobody is told which." : "";
    say(item, false, `${code} refused: ${refusal}.`, detail + which);
  }
  at("code").focus({ preventScroll: true });
  at("code").select();
  item.scrollIntoView({ block: "nearest" });
});

handle(at("recovery"), async () => {
  const { document: made, refusal, detail } = await send("POST", "/demo/recovery-codes", presented());
  hideSecrets();
  silence(at("created"));
  if (!made) {
    say(at("made"), false, `Refused: ${refusal}.`, detail);
    return;
  }
  say(at("made"), true, "Made.", "Write them down: they are shown once, and kept nowhere else.");
  at("codes").replaceChildren(...made.codes.map((code) => {
    const item = document.createElement("li");
    item.append(document.createElement("code"));
    item.firstChild.textContent = code;
    return item;
  }));
  at("codes").hidden = false;
  reveal(at("codes"));
});

handle(at("list"), async () => {
  if (await listDevices()) reveal(at("devices-title"));
});

// listDevices shows the devices of the account, and returns whether it could.
async function listDevices() {
  const { document: list, refusal, detail } = await send("GET", endpoint);
  if (!list) {
    at("devices").replaceChildren();
    say(at("listed"), false, `Refused: ${refusal}.`, detail);
    return false;
  }
  silence(at("listed"));
  if (list.data.length === 0) {
    at("listed").textContent = "None. One that was created without a credential is listed once it has been used.";
  }
  at("devices").replaceChildren(...list.data.map(row));
  return true;
}

const time = (text) => new Date(text).toLocaleString();

// row is one device, with a form for its name and a button that removes it.
function row({ id, attributes }) {
  const item = at("device-row").content.cloneNode(true).firstElementChild;
  const [form, label, input] = [item.querySelector("form"), item.querySelector("label"), item.querySelector("input")];
  input.id = "name-" + id;
  label.htmlFor = input.id;
  input.value = attributes.name;
  const used = attributes.lastUsedAt ? `used until ${time(attributes.lastUsedAt)}` : "never used";
  const blocked = attributes.blockedUntil ? `; blocked until ${time(attributes.blockedUntil)}` : "";
  item.querySelector(".facts").textContent = `Created ${time(attributes.createdAt)}, ${used}${blocked}`;
  item.querySelector(".id").textContent = id;
  handle(form, async () => {
    const body = { data: { type: "deviceTOTP", id, attributes: { name: input.value } } };
    const { document: renamed, refusal, detail } = await send("PATCH", `${endpoint}/${id}`, body, mediaType);
    if (renamed) input.value = renamed.data.attributes.name;
    say(item.querySelector(".answer"), Boolean(renamed), renamed ? "Renamed." : `Refused: ${refusal}.`, detail);
  });
  const remove = item.querySelector(".remove");
  remove.setAttribute("aria-describedby", input.id);
  remove.addEventListener("click", async () => {
    if (!confirm(`Remove ${input.value || id}? Its codes are not accepted any more.`)) return;
    const { document: gone, refusal, detail } = await send("DELETE", `${endpoint}/${id}`);
    if (!gone) {
      say(item.querySelector(".answer"), false, `Refused: ${refusal}.`, detail);
      return;
    }
    if (id === deviceID) hideSecrets();
    await listDevices();
    say(at("listed"), true, "Removed.", input.value || id);
    at("list").querySelector("button").focus({ preventScroll: true });
  });
  return item;
}
