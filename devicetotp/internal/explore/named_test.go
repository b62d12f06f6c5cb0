package explore

import (
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// named are the scenarios that are made for one kind of fault each.
func named() []*scenario {
	usual := home(nil)
	oneOnGrace := home(func(p *devicetotp.Policy) { p.GraceDevices = 1 })
	fourFailures := home(nil, wrongPIN(9), wrongPIN(9), wrongPIN(9), wrongPIN(9))
	fiveFailures := home(nil, wrongPIN(9), wrongPIN(9), wrongPIN(9), wrongPIN(9), wrongPIN(9))
	onePlace := home(func(p *devicetotp.Policy) { p.MaxDevices = 2 })
	usingRecovery := home(func(p *devicetotp.Policy) { p.OTPKinds = append(p.OTPKinds, verifier.KindRecovery) }, recovery())
	recoveryCode := usingRecovery.given[2].recovery[0].Reveal()
	inUse := used()
	newCode := func(client, request int) string { return codeOf(secretOf(client, request, 20), 0) }
	olderKey := home(nil, createWith(5, homeCode(-1), "")).under(newer)
	return []*scenario{
		{name: "one-otp-two-devices", account: usual, clients: [][]request{
			{createWith(1, code, ""), createWith(1, code, "")}, {createWith(2, code, "")}}},
		{name: "one-otp-fail-over", account: usual, clients: [][]request{
			{createWith(1, code, "")}, {createWith(2, code, "")}, {verify("", homeCode(0))}}},
		{name: "one-otp-one-id", account: usual, clients: [][]request{
			{createWith(1, code, ""), createWith(1, code, "")}, {createWith(1, code, "")}}},
		{name: "replaced-by-a-fresh-otp", account: usual, clients: [][]request{
			{createWith(1, code, ""), createWith(1, code, "")}, {createWith(1, homeCode(0), "")}}},
		{name: "one-code-verified-by-three", account: usual, clients: [][]request{
			{verify("", homeCode(0))}, {verify(phone(0), homeCode(0))}, {verify("", homeCode(0))}}},
		{name: "older-code-after-newer", account: usual, clients: [][]request{
			{verify("", homeCode(1))}, {verify("", homeCode(0)), verify("", homeCode(-1))}}},
		{name: "code-verified-and-presented", account: usual, clients: [][]request{
			{verify("", homeCode(0))}, {createWith(1, homeCode(0), ""), createWith(1, homeCode(0), "")}}},
		{name: "grace-of-one", account: oneOnGrace, clients: [][]request{
			{createWith(1, "", ""), createWith(1, "", "")}, {createWith(2, "", "")}}},
		{name: "grace-and-its-codes", account: oneOnGrace, clients: [][]request{
			{createWith(1, "", "")}, {createWith(2, codeOf(secretOf(0, 0, 20), 0), "")}}},
		{name: "one-place", account: onePlace, clients: [][]request{
			{createWith(1, "", pin), createWith(1, "", pin)}, {createWith(2, "", pin)}}},
		{name: "fifth-failure", account: fourFailures, clients: [][]request{
			{createWith(1, "", "0000")}, {createWith(2, "", "0000")}}},
		{name: "fifth-failure-time", account: fourFailures, menu: quiet, jumps: []time.Duration{31 * time.Second, -20 * time.Second}, clients: [][]request{
			{createWith(1, "", "0000"), createWith(1, "", pin)}, {createWith(2, "", pin)}}},
		{name: "crossing-clocks", account: fiveFailures, menu: quiet, jumps: []time.Duration{20 * time.Second, 15 * time.Second}, clients: [][]request{
			{createWith(1, "0", pin)}, {createWith(2, "", "0000"), createWith(2, "", pin)}}},
		{name: "right-after-wrong", account: usual, clients: [][]request{
			{createWith(1, wrong, pin), createWith(1, wrong, pin)}, {createWith(2, "", "0000")}}},
		{name: "success-beside-guesses", account: usual, clients: [][]request{
			{verify("", homeCode(0))}, {verify(phone(0), wrongCode), createWith(1, "", "0000")}}},
		{name: "unblock-and-guess", account: fourFailures, clients: [][]request{
			{unblock(credential.FactorPIN), unblock(credential.FactorPIN)}, {createWith(1, "", "0000")}}},
		{name: "newer-code-kept", account: usual, clients: [][]request{
			{addCode("22222222"), addCode("22222222")}, {addCode("33333333")}}},
		{name: "spent-code-announced", account: usual, clients: [][]request{
			{addCode("22222222"), addCode("22222222")}, {createWith(1, "22222222", "")}}},
		{name: "host-changes-pin", account: usual, hostChanges: []hostChange{newPIN}, clients: [][]request{
			{createWith(1, "", pin), createWith(1, "", pin)}, {verify("", homeCode(0))}}},
		{name: "host-locks", account: usual, hostChanges: []hostChange{locks}, clients: [][]request{
			{createWith(1, code, ""), createWith(1, code, "")}, {verify("", homeCode(0))}}},
		{name: "host-deletes", account: usual, hostChanges: []hostChange{erases}, clients: [][]request{
			{createWith(1, code, ""), createWith(1, code, "")}, {addCode("22222222")}}},
		{name: "host-does-everything", account: usual, menu: quiet, hostChanges: []hostChange{newPIN, locks, erases}, clients: [][]request{
			{createWith(1, "", pin)}, {createWith(2, code, "")}, {verify("", homeCode(0))}}},
		{name: "crowd-beside-a-guess", account: usual, crowded: true, clients: [][]request{
			{createWith(1, "", "0000")}, {verify("", homeCode(0))}}},
		{name: "crowd-beside-a-device", account: usual, crowded: true, clients: [][]request{
			{createWith(1, code, ""), createWith(1, code, "")}, {createWith(2, "", "0000")}}},
		{name: "period-passes", account: usual, menu: quiet, jumps: []time.Duration{30 * time.Second, -time.Minute}, clients: [][]request{
			{verify("", homeCode(0)), verify("", homeCode(0))}, {createWith(1, homeCode(1), "")}}},
		{name: "one-otp-proved-and-presented", account: usual, clients: [][]request{
			{prove(code, ""), prove(code, "")}, {createWith(1, code, "")}}},
		{name: "created-and-revoked", account: usual, clients: [][]request{
			{createWith(1, "", pin), createWith(1, "", pin)}, {revoke(1)}}},
		{name: "made-by-a-revoked-one", account: usual, clients: [][]request{
			{createWith(1, homeCode(0), ""), createWith(1, homeCode(0), "")}, {revoke(0), revoke(0)}}},
		{name: "revoked-and-verified", account: usual, clients: [][]request{
			{revoke(0), revoke(0)}, {verify("", homeCode(0)), rename(0, "mine")}}},
		{name: "revoked-while-locked", account: usual, hostChanges: []hostChange{locks}, clients: [][]request{
			{revoke(0)}, {createWith(1, homeCode(0), "")}}},
		{name: "grace-taken-and-revoked", account: oneOnGrace, clients: [][]request{
			{createWith(1, "", ""), createWith(1, "", "")}, {revoke(1), createWith(2, "", "")}}},
		{name: "one-recovery-code", account: usingRecovery, clients: [][]request{
			{createWith(1, recoveryCode, ""), createWith(1, recoveryCode, "")}, {createWith(2, recoveryCode, "")}}},
		{name: "recovery-codes-replaced", account: usingRecovery, clients: [][]request{
			{recovery(), recovery()}, {prove(recoveryCode, "")}}},
		{name: "resealed-and-used", account: olderKey, clients: [][]request{
			{reseal(), reseal()}, {verify("", homeCode(0))}}},
		{name: "resealed-and-created", account: olderKey, clients: [][]request{
			{reseal()}, {createWith(5, homeCode(-1), ""), createWith(6, "", pin)}}},
		{name: "rotated-and-confirmed", account: inUse, clients: [][]request{
			{rotate(1, "", pin), rotate(1, "", pin)}, {verify("", newCode(0, 0)), verify("", homeCode(0))}}},
		{name: "old-and-new-secret", account: inUse, clients: [][]request{
			{rotate(1, "", pin), verify("", newCode(0, 0))}, {verify(phone(0), homeCode(0))}}},
		{name: "rotated-by-two", account: inUse, clients: [][]request{
			{rotate(1, "", pin), rotate(1, "", pin)}, {rotate(2, code, ""), verify("", newCode(1, 0))}}},
		{name: "rotated-once-by-two", account: inUse, clients: [][]request{
			{rotate(1, "", pin), rotate(1, "", pin)}, {rotate(1, "", pin), verify("", newCode(1, 0))}}},
		{name: "rotated-on-its-own-code", account: inUse, clients: [][]request{
			{rotate(1, homeCode(0), ""), rotate(1, homeCode(0), "")}, {createWith(1, homeCode(0), "")}}},
		{name: "rotated-and-revoked", account: inUse, clients: [][]request{
			{rotate(1, "", pin), rotate(1, "", pin)}, {revoke(0), verify("", newCode(0, 0))}}},
		{name: "proved-and-replaced", account: usual, clients: [][]request{
			{createWith(1, "", pin), createWith(1, "", pin)}, {createWith(1, code, "")}}},
		{name: "grace-and-replaced", account: usual, clients: [][]request{
			{createWith(1, "", ""), createWith(1, "", "")}, {createWith(1, code, "")}}},
		{name: "created-and-rotated", account: usual, clients: [][]request{
			{createWith(1, "", pin), createWith(1, "", pin)}, {verify(phone(1), newCode(0, 0)), rotateDevice(1, 1, "", pin)}}},
		{name: "imported-and-rotated", account: usual, clients: [][]request{
			{importOf(1), importOf(1)}, {rotateDevice(1, 1, "", pin), verify(phone(1), newCode(1, 0))}}},
		{name: "imported-and-used", account: usual, clients: [][]request{
			{importOf(1), importOf(1)}, {verify("", codeOf(importSecret, 0)), createWith(2, codeOf(importSecret, 0), "")}}},
		{name: "imported-under-two-ids", account: usual, clients: [][]request{
			{importOf(1), importOf(1)}, {importOf(2), verify("", codeOf(importSecret, 0))}}},
		{name: "imported-and-revoked", account: usual, clients: [][]request{
			{importOf(1), importOf(1)}, {revoke(1), importOf(2)}}},
		{name: "inspected", account: usual, clients: [][]request{
			{createWith(1, code, ""), inspect()}, {inspect(), verify("", homeCode(0))}}},
	}
}

// wrongPIN is a guess.
func wrongPIN(n int) request { return createWith(n, "", "0000") }
