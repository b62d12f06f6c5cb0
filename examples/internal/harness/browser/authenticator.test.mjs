import assert from "node:assert/strict";
import { test } from "node:test";

import { code } from "./authenticator.mjs";

// RFC 6238 appendix B, cut to six digits.
test("the codes are those of RFC 6238", () => {
  const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
  const rows = [[59, "287082"], [1111111109, "081804"], [1234567890, "005924"], [20000000000, "353130"]];
  for (const [seconds, want] of rows) {
    assert.equal(code(secret, seconds * 1000), want);
  }
});
