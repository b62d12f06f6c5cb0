package credential_test

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// lives are the frozen accounts: how each came about, and what must hold of it.
func lives() map[string]life {
	all := map[string]life{}
	for _, some := range []map[string]life{livesOfDevices(), livesOfRotations(), livesOfCodes()} {
		for name, l := range some {
			all[name] = l
		}
	}
	return all
}

func livesOfDevices() map[string]life {
	return map[string]life{
		"device-on-grace": {
			live: func(w *frozenWorld) { w.given(w.create(1, byGrace)) },
			check: func(w *frozenWorld) {
				d, err := w.create(1, byGrace)
				w.givenAgain("device 1", d, err)
				w.used("device 1")
				d, err = w.create(1, byGrace)
				w.refused(devicetotp.CodeIDInUse, d, err)
				require.True(w.t, w.account().State.Devices[0].RestsOnGrace)
			},
		},
		"device-on-a-password": {
			live: func(w *frozenWorld) { w.given(w.create(1, byPassword)) },
			check: func(w *frozenWorld) {
				d, err := w.create(1, devicetotp.CreateRequest{Password: credential.NewSecret("wrong")})
				w.refused(devicetotp.CodeInvalidCredentials, d, err)
				d, err = w.create(1, byPassword)
				w.givenAgain("device 1", d, err)
				w.used("device 1")
			},
		},
		"device-on-an-otp": {
			live: func(w *frozenWorld) {
				w.announce("account", "11111111")
				w.given(w.create(1, otp("11111111")))
			},
			check: func(w *frozenWorld) {
				d, err := w.create(1, otp("11111111"))
				w.givenAgain("device 1", d, err)
				d, err = w.create(2, otp("11111111"))
				w.refused(devicetotp.CodeInvalidCredentials, d, err)
			},
			recognizes: true,
		},
		"device-replaced": {
			live: func(w *frozenWorld) {
				w.announce("account", "11111111")
				w.given(w.create(1, otp("11111111")))
				w.announce("account", "22222222")
				w.given(w.create(1, otp("22222222")))
			},
			check: func(w *frozenWorld) {
				d, err := w.create(1, otp("11111111"))
				w.refused(devicetotp.CodeIDInUse, d, err)
				require.Zero(w.t, w.account().State.OTP.Failures, "it is recognized")
				d, err = w.create(1, otp("22222222"))
				w.givenAgain("device 1", d, err)
			},
			recognizes: true,
		},
		"device-in-use-and-one-made-on-it": {
			live: func(w *frozenWorld) {
				w.given(w.create(1, byPIN))
				w.used("device 1")
				w.given(w.create(2, otp(w.code("device 1"))))
			},
			check: func(w *frozenWorld) {
				require.Error(w.t, w.verify("device 1"), "a code is good once")
				w.used("device 2")
				w.used("device 1")
				require.Equal(w.t, frozenID(1), w.account().State.Devices[1].MadeBy)
			},
		},
		"device-imported": {
			live: func(w *frozenWorld) { w.requireImported(1, "imported", false) },
			check: func(w *frozenWorld) {
				w.requireImported(1, "imported", true)
				require.Error(w.t, w.imported(2, "imported"), "another device has the secret")
				w.used("imported")
			},
		},
		"devices-revoked": {
			live: func(w *frozenWorld) {
				w.given(w.create(1, byPIN))
				w.requireImported(2, "imported", false)
				_, err := w.issuer.Revoke(w.t.Context(), devicetotp.RevokeRequest{AccountID: "a", DeviceIDs: []string{frozenID(1), frozenID(2)}})
				require.NoError(w.t, err)
			},
			check: func(w *frozenWorld) {
				d, err := w.create(1, byPIN)
				w.refused(devicetotp.CodeIDInUse, d, err)
				w.refused(devicetotp.CodeIDInUse, nil, w.imported(2, "imported"))
				w.refused(devicetotp.CodeIDInUse, nil, w.imported(3, "imported"))
				require.NoError(w.t, w.imported(3, "another"))
			},
		},
	}
}

func (w *frozenWorld) imported(n int, secret string) error {
	_, err := w.issuer.Import(w.t.Context(), importOf(n, secret))
	return err
}

func (w *frozenWorld) requireImported(n int, secret string, there bool) {
	w.t.Helper()
	d, err := w.issuer.Import(w.t.Context(), importOf(n, secret))
	require.NoError(w.t, err)
	require.Equal(w.t, there, d.AlreadyThere)
}

func importOf(n int, secret string) devicetotp.ImportRequest {
	return devicetotp.ImportRequest{
		AccountID: "a", DeviceID: frozenID(n), Name: "phone", Secret: secretOf(secret),
		Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
	}
}

// inUse has device 1 in use.
func inUse(w *frozenWorld) {
	w.given(w.create(1, byPIN))
	w.used("device 1")
}

func livesOfRotations() map[string]life {
	return map[string]life{
		"rotation-on-a-pin": {
			live: func(w *frozenWorld) {
				inUse(w)
				w.given(w.rotate(1, byPIN))
			},
			check: func(w *frozenWorld) {
				d, err := w.rotate(1, byPIN)
				w.givenAgain("rotation 1", d, err)
				w.used("device 1")
				w.used("rotation 1")
				require.Error(w.t, w.verify("device 1"))
				d, err = w.rotate(1, byPIN)
				w.refused(devicetotp.CodeIDInUse, d, err)
			},
		},
		"rotation-on-its-own-code": {
			live: func(w *frozenWorld) {
				inUse(w)
				code := w.code("device 1")
				w.notes = []string{code}
				w.given(w.rotate(1, otp(code)))
			},
			check: func(w *frozenWorld) {
				d, err := w.rotate(1, otp(w.notes[0]))
				w.givenAgain("rotation 1", d, err)
				require.Error(w.t, w.verify("device 1"), "its code is spent")
				w.used("rotation 1")
			},
			recognizes: true,
		},
		"rotations-that-are-over": {
			live: func(w *frozenWorld) {
				inUse(w)
				w.given(w.rotate(1, byPassword))
				w.given(w.rotate(2, byPIN))
				w.used("rotation 2")
				w.given(w.rotate(3, byPIN))
				w.clock.Advance(24 * time.Hour)
			},
			check: func(w *frozenWorld) {
				for n, proof := range []devicetotp.CreateRequest{1: byPassword, 2: byPIN, 3: byPIN} {
					if n > 0 {
						d, err := w.rotate(n, proof)
						w.refused(devicetotp.CodeIDInUse, d, err)
					}
				}
				require.Error(w.t, w.verify("rotation 3"))
				w.used("rotation 2")
				w.given(w.rotate(4, byPIN))
			},
		},
	}
}

func livesOfCodes() map[string]life {
	return map[string]life{
		"codes-pending-withdrawn-and-spent": {
			live: func(w *frozenWorld) {
				w.announce("sms", "333333")
				require.NoError(w.t, w.prove("333333"))
				w.announce("account", "11111111")
				w.announce("account", "22222222")
			},
			check: func(w *frozenWorld) {
				w.announce("sms", "333333")
				w.announce("account", "11111111") // which change nothing
				w.refused(devicetotp.CodeInvalidCredentials, nil, w.prove("333333"))
				w.refused(devicetotp.CodeInvalidCredentials, nil, w.prove("11111111"))
				require.NoError(w.t, w.prove("22222222"))
			},
			recognizes: true,
		},
		"recovery-codes-one-spent": {
			live: func(w *frozenWorld) {
				codes, err := w.issuer.ReplaceRecoveryCodes(w.t.Context(), devicetotp.RecoveryRequest{AccountID: "a", Count: 3})
				require.NoError(w.t, err)
				for _, code := range codes {
					w.notes = append(w.notes, code.Reveal())
				}
				require.NoError(w.t, w.prove(w.notes[0]))
			},
			check: func(w *frozenWorld) {
				w.refused(devicetotp.CodeInvalidCredentials, nil, w.prove(w.notes[0]))
				require.Equal(w.t, []int{2, 1}, []int{w.account().State.Recovery.Left, w.account().State.Recovery.Attempts.Failures})
				for _, code := range slices.Backward(w.notes[1:]) {
					require.NoError(w.t, w.prove(code))
				}
				require.Zero(w.t, w.account().State.Recovery.Left)
			},
		},
		"pin-and-password-guessed-at": {
			live: func(w *frozenWorld) {
				for range 5 {
					d, err := w.create(1, devicetotp.CreateRequest{PIN: credential.NewSecret("0000")})
					w.refused(devicetotp.CodeInvalidCredentials, d, err)
				}
				d, err := w.create(1, devicetotp.CreateRequest{Password: credential.NewSecret("wrong")})
				w.refused(devicetotp.CodeInvalidCredentials, d, err)
			},
			check: func(w *frozenWorld) {
				d, err := w.create(1, byPIN)
				w.refused(devicetotp.CodeTooManyAttempts, d, err)
				a := w.account()
				require.Equal(w.t, []int{5, 1}, []int{a.Attempts(credential.FactorPIN).Failures, a.Attempts(credential.FactorPassword).Failures})
				w.clock.Advance(time.Hour)
				w.given(w.create(1, byPIN))
			},
		},
	}
}
