// An authenticator app: it reads a QR code and computes codes, with nothing of
// the library under test.
import { createHmac } from "node:crypto";

import jsQR from "jsqr";
import { PNG } from "pngjs";

// readQR returns the text of the QR code in a PNG, given as bytes or as a data:
// address.
export function readQR(picture) {
  const bytes = typeof picture === "string"
    ? Buffer.from(picture.replace("data:image/png;base64,", ""), "base64")
    : picture;
  const { data, width, height } = PNG.sync.read(bytes);
  const found = jsQR(new Uint8ClampedArray(data), width, height);
  if (!found) throw new Error("no QR code in the picture");
  return found.data;
}

// code returns the current TOTP (RFC 6238: SHA1, six digits, 30 seconds).
export function code(base32, now = Date.now()) {
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(now / 30_000)));
  const mac = createHmac("sha1", decode(base32)).update(step).digest();
  const offset = mac[mac.length - 1] & 0x0f;
  const number = (mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000;
  return String(number).padStart(6, "0");
}

function decode(base32) {
  let bits = "";
  for (const character of base32) {
    bits += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(character).toString(2).padStart(5, "0");
  }
  return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}
