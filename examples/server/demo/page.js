// The script of the demo page. What comes from the server is put into the page
// as text, never as HTML, and secrets are neither put into addresses nor kept.
"use strict";

const at = (id) => document.getElementById(id);
const bases = {
  otp: "against the one-time code.",
  password: "against the password.",
  pin: "against the PIN.",
  grace: "without a credential, shortly after registration.",
};
let deviceID = "";

// post sends JSON as the owner of the access token, and returns the answer: its
// document, or what the first error object says.
async function post(path, body) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Authorization": "Bearer " + at("token").value, "Content-Type": "application/json" },
      body: JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      referrerPolicy: "no-referrer",
    });
    const document = await response.json();
    if (response.ok) {
      return { document };
    }
    const error = document.errors[0];
    return { refusal: `${response.status} ${error.code}`, detail: error.detail ?? error.title };
  } catch {
    return { refusal: "no answer", detail: "The server could not be reached, or answered in a form that this page does not know." };
  }
}

// say fills an element with a verdict and what there is to say about it.
function say(element, good, verdict, detail) {
  const strong = document.createElement("strong");
  strong.textContent = verdict;
  const more = document.createElement("span");
  more.className = "detail";
  more.textContent = " " + detail;
  element.className = `${element.dataset.kind ?? ""} ${good ? "good" : "bad"}`;
  element.replaceChildren(strong, more);
}

// handle runs work when the form is sent, once at a time.
function handle(form, work) {
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    await work();
    button.disabled = false;
  });
}

handle(at("create"), async () => {
  const presented = {};
  for (const name of ["otp", "password", "pin"]) {
    if (at(name).value !== "") {
      presented[name] = at(name).value;
    }
  }
  const { document: device, refusal, detail } = await post("/demo/devices", presented);
  if (!device) {
    say(at("created"), false, `Refused: ${refusal}.`, detail);
    return;
  }
  deviceID = device.deviceId;
  say(at("created"), true, "Created", bases[device.basis] ?? device.basis);
  at("qr").src = device.qr;
  at("secret").textContent = device.secret.replace(/.{4}(?=.)/g, "$& ");
  at("device").textContent = deviceID;
  at("answers").replaceChildren();
  at("scan").hidden = false;
  at("check").hidden = false;
  at("scan-title").focus();
});

handle(at("verify"), async () => {
  const code = at("code").value;
  const { document: match, refusal, detail } = await post("/user/devices/totp/verify", { code, deviceId: deviceID });
  const item = document.createElement("li");
  if (match) {
    say(item, true, `${code} accepted.`, "It is spent now: this code is not accepted again.");
  } else {
    say(item, false, `${code} refused: ${refusal}.`, detail);
  }
  at("answers").append(item);
  at("code").select();
});
