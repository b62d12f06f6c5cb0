package explore

const rounds = "devicetotp/internal/rounds/"

// bugs are faults that the library once had, and others of their kind.
var bugs = []bug{
	{
		name: "what is seen is taken for what is kept", file: rounds + "rounds.go",
		old: "\t\t\tthis = earlier\n", new: "\t\t\treturn earlier.answer, nil\n",
		scenarios: "one-otp-two-devices", kind: "an answer before its Save (I1)",
	},
	{
		name: "a spent code is announced again", file: "devicetotp/addcode.go",
		old: "return err == nil && same", new: "return err == nil && same && c.Withdrawn",
		scenarios: "spent-code-announced", kind: "a repetition that is not harmless (I4)",
	},
	{
		name: "a counter as version", file: rounds + "call.go",
		old: "a.Next = c.newVersion()", new: "a.Next = a.Version + 1",
		scenarios: "one-otp-fail-over", kind: "a version that comes back",
	},
	{
		name: "a refusal that writes", file: "devicetotp/proofs.go",
		old: "if wait, blocked := policy.Blocked(attempts, p.call.Now); blocked {\n",
		new: "if wait, blocked := policy.Blocked(attempts, p.call.Now); blocked {\n" +
			"\t\tattempts.LastAt = p.call.Now\n\t\ta.State.SetAttempts(f, attempts)\n\t\tp.counted = true\n",
		scenarios: "crossing-clocks", kind: "a refusal that writes (I3)",
	},
	{
		name: "a repetition that undoes", file: "devicetotp/addcode.go",
		old: "known := o.announced(a); known != nil {", new: "known := o.announced(a); known != nil && !known.Withdrawn {",
		scenarios: "newer-code-kept", kind: "a repetition that is not harmless (I4)",
	},
	{
		name: "marks that are pushed out", file: "credential/state_bounds.go",
		old: "MaxWrites     = 32 ", new: "MaxWrites     = 16 ",
		scenarios: "crowd-beside-a-guess", kind: "a request that takes effect twice (I4)",
	},
	{
		name: "answered before the Save", file: rounds + "rounds.go",
		old: "if !save || !c.Known", new: "if !save || c.Rounds > 1 || !c.Known",
		scenarios: "fifth-failure", kind: "an answer before its Save (I1)",
	},
	{
		name: "no write-id check", file: rounds + "rounds.go",
		old: "if a.State.Wrote(w.id) {", new: "if false && a.State.Wrote(w.id) {",
		scenarios: "success-beside-guesses", kind: "a request that takes effect twice (I4)",
	},
	{
		name: "an unclear Save taken for success", file: rounds + "rounds.go",
		old: "case saveErr == nil:\n", new: "case saveErr == nil || unclear(saveErr) && !this.settles:\n",
		scenarios: "one-otp-two-devices", kind: "an answer before its Save (I1)",
	},
	{
		name: "an old decision saved after a conflict", file: rounds + "call.go",
		old: "\t*a = now\n", new: "\tnow.State = a.State\n\t*a = now\n",
		scenarios: "fifth-failure", kind: "a wrong value that is not counted (I6)",
	},
	{
		name: "values are checked while saves fail", file: rounds + "rounds.go",
		old: "case c.unsettled():", new: "case false:",
		scenarios: "right-after-wrong", kind: "a value is checked while saves may fail (I1)",
	},
	{
		name: "hanging up stops counting", file: rounds + "call.go",
		old: "err != nil && !c.looked {", new: "err != nil {",
		scenarios: "fifth-failure", kind: "unavailable without a reason (I1)",
	},
	{
		name: "a process whose writes look alike", file: rounds + "rounds.go",
		old: "\tcopy(id[len(id)/2:], c.random())\n", new: "",
		scenarios: "success-beside-guesses", kind: "a save that decides nothing and changes something",
	},
	{
		name: "spent not recorded", file: "devicetotp/spend.go",
		old:       "\t\tremember(state, credential.SpentProof{ProofID: v.ProofID, Until: v.Until}, p.call.Now)\n",
		new:       "\t\t_ = credential.SpentProof{}\n\t\treturn // which leaves the code pending, too\n",
		scenarios: "one-otp-two-devices", kind: "one proof for two (I2)",
	},
	{
		name: "steps not monotone", file: "verifier/device.go",
		old: "matchSecret(p, secret, code, now, s.lastStep)", new: "matchSecret(p, secret, code, now, s.lastStep-2)",
		scenarios: "older-code-after-newer", kind: "a code that is accepted and spends nothing (I2)",
	},
	{
		name: "a verdict kept over a new hash", file: "devicetotp/proofs.go",
		old: "remembered.done && remembered.hash == q.Hash.Reveal()", new: "remembered.done",
		scenarios: "host-changes-pin", kind: "no order of whole requests",
	},
	{
		name: "a limit off by one", file: "verifier/attempts.go",
		old: "a.Failures < p.BackoffFrom ||", new: "a.Failures <= p.BackoffFrom ||",
		scenarios: "fifth-failure", kind: "a value that is checked in spite of the wait (I6)",
	},
	{
		name: "codes of a device on grace buy another", file: "devicetotp/room.go",
		old: "return resting < c.issuer.policy.GraceDevices", new: "return resting <= c.issuer.policy.GraceDevices",
		scenarios: "grace-and-its-codes", kind: "more on grace than its limit (I7)",
	},
	{
		name: "a success that resets another factor", file: "devicetotp/spend.go",
		old: "\tstate.OTP = state.OTP.Cleared()\n", new: "\tstate.OTP, state.PIN = state.OTP.Cleared(), state.PIN.Cleared()\n",
		scenarios: "crowd-beside-a-device", kind: "a success that resets what it did not prove (I6)",
	},
	{
		name: "a device given again without a Save", file: "devicetotp/create_retry.go",
		old: "\tout.value.Replayed, out.event.Replayed = true, true\n\treturn out, true\n", new: "\tout.value.Replayed, out.event.Replayed = true, true\n\treturn out, false\n",
		scenarios: "one-place", kind: "an answer before its Save (I1)",
	},
	{
		name: "a wrong code that is not counted", file: "devicetotp/verify.go",
		old: "\to.fail(a, all)\n", new: "",
		scenarios: "success-beside-guesses", kind: "a wrong value that is not counted (I6)",
	},
	{
		name: "a revoked id that comes back", file: "devicetotp/revoked.go",
		old: "return i >= 0 && c.held(&s.Revoked[i])", new: "return false && i >= 0",
		scenarios: "created-and-revoked", kind: "what was revoked comes back (I4)",
	},
	{
		name: "removing a device on grace makes room for another", file: "devicetotp/room.go",
		old: "a.State.GraceIssued >= policy.GraceDevices", new: "false",
		scenarios: "grace-taken-and-revoked", kind: "more on grace than its limit (I7)",
	},
	{
		name: "both secrets of a rotation accepted for ever", file: "devicetotp/spend.go",
		old: "case ofNew && !ofOld:", new: "case false && ofNew && !ofOld:",
		scenarios: "rotated-and-confirmed", kind: "two secrets of one device",
	},
	{
		name: "a rotation that is not remembered", file: "devicetotp/rotate_retry.go",
		old: "return slices.ContainsFunc(d.PastRotations", new: "return false && slices.ContainsFunc(d.PastRotations",
		scenarios: "rotated-by-two", kind: "a repetition that is not harmless (I4)",
	},
	{
		name: "an import that resets a step", file: "devicetotp/import.go",
		old: "return o.give(d, true), true", new: "d.LastStep = 0\n\treturn o.give(d, true), true",
		scenarios: "imported-and-used", kind: "one proof for two (I2)",
	},
}
