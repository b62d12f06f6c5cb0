package devicetotp_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	totperrors "example.com/devicetotp/errors"
)

// The bug class: what is seen is taken for what is kept. A Save that was cut off
// while the standby was away shows in the next Load, and a fail-over takes it
// away again. An answer that was given on the sight of it has spent nothing.
func TestEveryOperation_NothingIsAnsweredOnWhatIsOnlySeen(t *testing.T) {
	for _, a := range acts() {
		t.Run(a.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := a.prepare(t)
				db := databaseOf(t, h.World, "acct")
				db.standbyAway(true)
				p := &process{database: db}
				err := a.run(t.Context(), issuerOn(t, h.World, p), h)
				require.Zero(t, p.acknowledged)
				require.True(t, isUnavailable(err), "answered %q, and no Save of the request has returned nil", devicetotp.CodeOf(err))
			})
		})
	}
}

// The same where the standby comes back: the answer waits for a Save that
// returns nil, so that a fail-over right behind it loses nothing.
func TestEveryOperation_WhatWasSeenIsConfirmedByASave(t *testing.T) {
	faults := map[string]func(p *process){
		"cut off":           func(p *process) { p.standbyAway(true) },
		"lost answer":       func(p *process) { p.lie = firstly(errUnclear) },
		"lost as conflict":  func(p *process) { p.lie = firstly(credential.ErrConflict) },
		"panic behind it":   func(p *process) { p.afterSave = func(n int) { panicAt(n, 1) } },
		"twice cut off":     func(p *process) { p.lie = untilCall(2) },
		"conflict, cut off": func(p *process) { p.refuse = once(credential.ErrConflict); p.lie = untilCall(2) },
	}
	for _, a := range acts() {
		for name, fault := range faults {
			t.Run(a.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := a.prepare(t)
					db := databaseOf(t, h.World, "acct")
					p := &process{database: db}
					fault(p)
					p.afterLoad = func(n int) { // the standby is back by the time the request looks
						if n == 2 {
							p.standbyAway(false)
						}
					}
					err := a.run(t.Context(), issuerOn(t, h.World, p), h)
					require.Equal(t, a.code, devicetotp.CodeOf(err), "%v", err)
					require.Positive(t, p.acknowledged, "answered, and no Save of the request has returned nil")
					seen := withoutWrites(t, db.stored("acct").State)
					db.failOver()
					require.Equal(t, seen, withoutWrites(t, db.stored("acct").State), "a fail-over behind the answer loses nothing")

					// Confirmed means saved again, not done again.
					requireSameDeeds(t, done(t, a, h), db.stored("acct").State)
				})
			})
		}
	}
}

func panicAt(n, at int) {
	if n == at {
		panic("boom")
	}
}

// firstly lies about the first Save only.
func firstly(err error) func(int) error {
	return func(n int) error {
		if n == 1 {
			return err
		}
		return nil
	}
}

// untilCall loses the answers of the first saves.
func untilCall(last int) func(int) error {
	return func(n int) error {
		if n <= last {
			return errUnclear
		}
		return nil
	}
}

// once refuses the first Save without any effect.
func once(err error) func(credential.Account) error {
	return func(credential.Account) error {
		out := err
		err = nil
		return out
	}
}

// done returns the State after a on a copy of the household where nothing goes
// wrong.
func done(t *testing.T, a act, h *household) credential.State {
	t.Helper()
	db := databaseOf(t, h.World, "acct")
	require.Equal(t, a.code, devicetotp.CodeOf(a.run(t.Context(), issuerOn(t, h.World, &process{database: db}), h)))
	return db.stored("acct").State
}

// requireSameDeeds compares what two States remember of what was done.
func requireSameDeeds(t *testing.T, want, have credential.State) {
	t.Helper()
	require.Equal(t, len(want.Devices), len(have.Devices))
	for i := range want.Devices {
		require.Equal(t, want.Devices[i].Name, have.Devices[i].Name)
		require.Equal(t, want.Devices[i].LastStep, have.Devices[i].LastStep)
		require.Equal(t, want.Devices[i].Attempts, have.Devices[i].Attempts)
	}
	require.Equal(t, len(want.Revoked), len(have.Revoked))
	require.Equal(t, len(want.Spent), len(have.Spent))
	require.Equal(t, len(want.Codes), len(have.Codes))
	require.Equal(t, want.Recovery.Left, have.Recovery.Left)
	require.Equal(t, want.Recovery.Attempts, have.Recovery.Attempts)
	for _, f := range credential.Factors() {
		require.Equal(t, want.Attempts(f), have.Attempts(f), "%v", f)
	}
}

// The bug class: a success that saves nothing. A repetition that only looks at
// the device it gives again gives away what a fail-over takes back.
func TestEveryOperation_EverySuccessSaves(t *testing.T) {
	for _, a := range acts() {
		t.Run(a.name, func(t *testing.T) {
			h := a.prepare(t)
			p := &process{database: databaseOf(t, h.World, "acct")}
			err := a.run(t.Context(), issuerOn(t, h.World, p), h)
			require.Equal(t, a.code, devicetotp.CodeOf(err), "%v", err)
			require.Equal(t, 1, p.acknowledged, "saves that returned nil")
		})
	}
}

// The bug class: a write that was seen disappears before it is confirmed. The
// request must decide again, and the device that it gives must be there.
func TestEveryOperation_WhatWasSeenAndIsGoneIsDecidedAgain(t *testing.T) {
	for _, a := range acts() {
		t.Run(a.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := a.prepare(t)
				db := databaseOf(t, h.World, "acct")
				db.standbyAway(true)
				p := &process{database: db}
				p.afterLoad = func(n int) { // it has seen its own write: now the primary dies
					if n == 2 {
						db.failOver()
					}
				}
				err := a.run(t.Context(), issuerOn(t, h.World, p), h)
				require.Equal(t, a.code, devicetotp.CodeOf(err), "%v", err)
				require.Positive(t, p.acknowledged, "answered, and no Save of the request has returned nil")
				requireSameDeeds(t, done(t, a, h), db.stored("acct").State)
			})
		})
	}
}

// The bug class: one OTP, two devices, with a fail-over between them. The first
// request saw its own write, the second one met the OTP unspent.
func TestCreate_OneOTPMakesOneDeviceAcrossAFailOver(t *testing.T) {
	for _, own := range []bool{false, true} { // a one-time code, a code of an own device
		synctest.Test(t, func(t *testing.T) {
			h := newHousehold(t)
			otp := secret(rightCode)
			if own {
				otp = h.code()
			}
			db := databaseOf(t, h.World, "acct")
			db.standbyAway(true)
			p := &process{database: db}
			create := func(i *devicetotp.Issuer, id string) error {
				_, err := i.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: id, OTP: otp})
				return err
			}
			var second error
			p.afterLoad = func(n int) {
				if n == 2 {
					db.failOver()
					second = create(issuerOn(t, h.World, &process{database: db}), otherID(2))
				}
			}
			first := create(issuerOn(t, h.World, p), otherID(1))
			require.NoError(t, second, "the new primary does not know the first")
			requireCode(t, totperrors.CodeInvalidCredentials, first)
			state := db.stored("acct").State
			require.Len(t, state.Devices, 2)
			require.Equal(t, 1, state.DeviceIndex(otherID(2)))
		})
	}
}

// The bug class: a counter as version. A number that was seen, and not kept,
// comes back after a fail-over with another State behind it. Whoever loaded the
// first one saves over the second: a device that was given is wiped out, a code
// that was accepted is alive again.
func TestEveryOperation_AVersionThatComesBackOverwritesNothing(t *testing.T) {
	for _, a := range acts() {
		t.Run(a.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := a.prepare(t)
				db := databaseOf(t, h.World, "acct")
				p := &process{database: db}
				db.standbyAway(true)
				wrong := devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(7), PIN: secret("0000")}
				_, _ = issuerOn(t, h.World, &process{database: db, afterSave: func(n int) { panicAt(n, 1) }}).Create(t.Context(), wrong)
				require.Greater(t, db.stored("acct").Version, int64(0))

				var given devicetotp.DeviceTOTP
				p.afterLoad = func(n int) {
					if n > 1 {
						return
					}
					db.failOver()
					var err error
					given, err = issuerOn(t, h.World, &process{database: db}).Create(t.Context(), devicetotp.CreateRequest{
						AccountID: "acct", DeviceID: otherID(8), Password: secret("password"),
					})
					require.NoError(t, err)
				}
				_ = a.run(t.Context(), issuerOn(t, h.World, p), h)
				require.GreaterOrEqual(t, db.stored("acct").State.DeviceIndex(given.ID), 0, "the device that was given is there")
				_, err := issuerOn(t, h.World, &process{database: db}).Verify(t.Context(), devicetotp.VerifyRequest{
					AccountID: "acct", DeviceID: given.ID, Code: h.Phone(given).Code(),
				})
				require.NoError(t, err)
			})
		})
	}
}

// The bug class: marks that are pushed out. Others save so often between a Save
// that was reported as a conflict, although it took effect, and the Load after it
// that the request no longer finds its write id: it counts one guess twice, or
// refuses the code that it has spent itself.
func TestEveryOperation_AWriteIsRecognizedAfterManyOthers(t *testing.T) {
	const many = 16
	for _, a := range acts() {
		t.Run(a.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := a.prepare(t)
				db := databaseOf(t, h.World, "acct")
				p := &process{database: db, lie: firstly(credential.ErrConflict)}
				p.afterSave = func(n int) {
					if n > 1 {
						return
					}
					others := issuerOn(t, h.World, &process{database: db})
					for range many { // saves that change nothing the request is about
						require.NoError(t, addCodeAct("the same again", rightCode).run(t.Context(), others, h))
					}
				}
				err := a.run(t.Context(), issuerOn(t, h.World, p), h)
				require.Equal(t, a.code, devicetotp.CodeOf(err), "%v", err)
				requireSameDeeds(t, done(t, a, h), db.stored("acct").State)
			})
		})
	}
}

// The bug class: confirming by doing it again. What others did between the Save
// whose answer was lost and the one that confirms it stays done: a newer code is
// not displaced, a guess that was counted is not forgiven.
func TestEveryOperation_AConfirmationUndoesNothing(t *testing.T) {
	guess := devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(9), PIN: secret("0000")}
	for _, name := range []string{"unblock with nothing to forgive", "add-code a new one", "create on an OTP", "create on a recovery code", "replace recovery codes", "verify a right code"} {
		a := acts()[slices.IndexFunc(acts(), func(a act) bool { return a.name == name })]
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := a.prepare(t)
				db := databaseOf(t, h.World, "acct")
				other := issuerOn(t, h.World, &process{database: db})
				p := &process{database: db, lie: firstly(errUnclear)}
				p.afterSave = func(n int) {
					if n > 1 {
						return
					}
					_, err := other.Create(t.Context(), guess)
					requireCode(t, totperrors.CodeInvalidCredentials, err)
					require.NoError(t, addCodeAct("newer", "33333333").run(t.Context(), other, h))
				}
				require.NoError(t, a.run(t.Context(), issuerOn(t, h.World, p), h))
				require.Positive(t, p.acknowledged, "answered, and no Save of the request has returned nil")
				require.Equal(t, 1, db.stored("acct").State.PIN.Failures, "the guess stays counted")
				_, err := other.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(3), OTP: secret("33333333")})
				require.NoError(t, err, "the newer code is good")
			})
		})
	}
}
