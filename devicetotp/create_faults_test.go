package devicetotp_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// The bug class: a right value is counted as a guess. An app that uses one id for
// ever asks again with a fresh code, and used to get invalid-credentials; the
// fifth time blocked the OTP for every id. A never-used device is replaced by a
// request with an OTP that is good now, whatever it was made on and however old.
func TestCreate_AFreshOTPReplacesANeverUsedDevice(t *testing.T) {
	for _, basis := range bases {
		for _, age := range []time.Duration{0, 5 * time.Minute, 5*time.Minute + 1, time.Hour, 30 * 24 * time.Hour} {
			for _, kind := range []string{"a code that was sent", "a code of another device"} {
				t.Run(basis.String()+"/"+age.String()+"/"+kind, func(t *testing.T) {
					w, a, r, first := retryWorld(t, basis)
					other, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(5), PIN: secret("8299")})
					require.NoError(t, err)
					w.Clock.Advance(age)
					fresh := devicetotp.CreateRequest{AccountID: "acct", DeviceID: r.DeviceID, OTP: w.Phone(other).Code()}
					if kind == "a code that was sent" {
						a.OTP("77777777")
						fresh.OTP = secret("77777777")
					}
					second, err := w.Issuer.Create(t.Context(), fresh)
					require.NoError(t, err)
					require.False(t, second.Replayed)
					require.Equal(t, first.ID, second.ID)
					require.NotEqual(t, first.Base32(), second.Base32(), "a new secret")
					require.Equal(t, w.Clock.Now(), second.CreatedAt, "a new time")
					require.Equal(t, credential.BasisOTP, second.Basis, "a new basis")
					require.Equal(t, 2, len(a.Stored().State.Devices), "the same place")

					again, err := w.Issuer.Create(t.Context(), fresh)
					require.NoError(t, err, "and is repeated like any other")
					require.True(t, again.Replayed)
					require.Equal(t, second.Base32(), again.Base32())

					_, err = verify(t, w, first.ID, w.Phone(first).Code())
					requireCode(t, totperrors.CodeInvalidCredentials, err)
					_, err = verify(t, w, first.ID, w.Phone(second).Code())
					require.NoError(t, err)
				})
			}
		}
	}
}

// Ten fresh codes in turn, each of them right: ten times served, nothing counted,
// and no other id is blocked.
func TestCreate_OneIDForEverIsServedEveryTime(t *testing.T) {
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.MaxDevices = 1 }))
	a := w.Account("acct")
	secrets := map[string]bool{}
	for n := range 10 {
		code := string(rune('0'+n)) + "1234567"
		a.OTP(code)
		d, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, OTP: secret(code)})
		require.NoError(t, err, "the request with the code number %d", n+1)
		require.False(t, d.Replayed)
		secrets[d.Base32()] = true
		require.Zero(t, a.Stored().State.OTP.Failures)
		w.Clock.Advance(time.Second)
	}
	require.Equal(t, 10, len(secrets))
	require.Equal(t, 1, len(a.Stored().State.Devices), "in the one place that there is")
}

// A late repetition of the first request neither undoes the second nor counts as
// a guess, as often as it comes.
func TestCreate_TheOTPOfTheReplacedDeviceIsRecognized(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct").OTP("11111111")
	create := func(code string) (devicetotp.DeviceTOTP, error) {
		return w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, OTP: secret(code)})
	}
	_, err := create("11111111")
	require.NoError(t, err)
	w.Clock.Advance(time.Minute)
	a.OTP("22222222")
	second, err := create("22222222")
	require.NoError(t, err)
	for range 10 {
		_, err = create("11111111")
		require.Equal(t, totperrors.FieldDeviceID, requireCode(t, totperrors.CodeIDInUse, err).Field)
	}
	require.Zero(t, a.Stored().State.OTP.Failures, "nothing is counted")
	again, err := create("22222222")
	require.NoError(t, err)
	require.Equal(t, second.Base32(), again.Base32(), "the second is not undone")
	_, err = create("33333333")
	requireCode(t, totperrors.CodeInvalidCredentials, err) // what grants nothing is one wrong OTP
	require.Equal(t, 1, a.Stored().State.OTP.Failures)
}

// The answer to the replacing request may be lost as well.
func TestCreate_AReplacementWhoseAnswerIsLostIsRepeated(t *testing.T) {
	for _, basis := range bases {
		w, a, r, first := retryWorld(t, basis)
		a.OTP("77777777")
		r = devicetotp.CreateRequest{AccountID: "acct", DeviceID: r.DeviceID, OTP: secret("77777777")}
		w.Store.Script(devicetotptest.Fault{}, devicetotptest.Fault{Err: errUnclear, Applied: true}, devicetotptest.Fault{Err: errUnclear})
		_, err := w.Issuer.Create(t.Context(), r)
		requireCode(t, totperrors.CodeUnavailable, err)
		w.Store.Script()
		second, err := w.Issuer.Create(t.Context(), r)
		require.NoError(t, err)
		require.True(t, second.Replayed)
		require.NotEqual(t, first.Base32(), second.Base32())
		require.Equal(t, 1, len(a.Stored().State.Devices))
		require.Zero(t, a.Stored().State.OTP.Failures)
	}
}

// A device's own codes do not replace it, and nothing replaces one in use.
func TestCreate_WhatReplacesNothing(t *testing.T) {
	for _, basis := range bases {
		w, a, r, first := retryWorld(t, basis)
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: r.DeviceID, OTP: w.Phone(first).Code()})
		require.Error(t, err)
		_, err = verify(t, w, first.ID, w.Phone(first).Drifted(1))
		require.NoError(t, err, "the secret is the one that was given")
		a.OTP("77777777")
		before := a.Stored().State
		_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: r.DeviceID, OTP: secret("77777777")})
		requireCode(t, totperrors.CodeIDInUse, err)
		require.Equal(t, withoutWrites(t, before), withoutWrites(t, a.Stored().State), "nothing looked at, nothing spent")
	}
}

// The bug class: what is forgotten by time alone. A clock that is ahead for a
// moment forgets a spent OTP of a host's verifier; when it is right again the OTP
// makes a second device.
func TestCreate_AClockAheadForAMomentForgetsNoSpentOTP(t *testing.T) {
	until := devicetotptest.Start.Add(5 * time.Minute)
	host := verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
		if q.Presented.Reveal() != "one time" || !q.Now.Before(until) {
			return verifier.Verdict{Status: verifier.StatusWrong}, nil
		}
		return verifier.Verdict{Status: verifier.StatusValid, ProofID: "host:1", Until: until}, nil
	})
	for _, ahead := range []time.Duration{16 * time.Minute, time.Hour, 12 * time.Hour} {
		for _, a := range acts() {
			t.Run(ahead.String()+"/"+a.name, func(t *testing.T) {
				h := a.prepare(t)
				i := issuerOn(t, h.World, h.Store, func(c *devicetotp.Config) { c.OTP = host })
				use := devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(30), OTP: secret("one time")}
				_, err := i.Create(t.Context(), use)
				require.NoError(t, err)

				h.Clock.Advance(ahead)
				_ = a.run(t.Context(), h.Issuer, h) // anything that saves
				h.Clock.Advance(-ahead)

				use.DeviceID = otherID(31)
				_, err = i.Create(t.Context(), use)
				requireCode(t, totperrors.CodeInvalidCredentials, err)
				require.Negative(t, h.account.Stored().State.DeviceIndex(otherID(31)))
			})
		}
	}
}

// tellsOfANewDevice is the rule by which a host learns from Events of each device
// that it must tell its user of, as the doc of Event has it.
func tellsOfANewDevice(e devicetotp.Event) bool {
	return e.Op == devicetotp.OpCreate && e.Code == ""
}

// The bug class: nobody is told. The device was saved, the answer was unavailable,
// and the repetition is only a replay: the Events never say that there is one more.
func TestCreate_AHostIsToldOfEveryDevice(t *testing.T) {
	for name, script := range map[string][]devicetotptest.Fault{
		"nothing goes wrong":      nil,
		"answer lost, load fails": {{}, {Err: errUnclear, Applied: true}, {Err: errUnclear}},
		"timeout, load fails":     {{}, {Err: context.DeadlineExceeded, Applied: true}, {Err: context.DeadlineExceeded}},
		"conflict, load fails":    {{}, {Err: credential.ErrConflict, Applied: true}, {Err: errUnclear}},
		"panic, load fails":       {{}, {Panic: "boom", Applied: true}, {Err: errUnclear}},
		"save fails":              {{}, {Err: errUnclear}},
	} {
		for _, basis := range bases {
			t.Run(name+"/"+basis.String(), func(t *testing.T) {
				w := devicetotptest.New(t)
				a := w.Account("acct").RegisteredAgo(0).Password("password").PIN("8299").OTP("526271")
				r := devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID}
				if f, ok := basis.Factor(); ok {
					right(&r, f)
				}
				w.Store.Script(script...)
				_, err := w.Issuer.Create(t.Context(), r)
				w.Store.Script()
				if isUnavailable(err) {
					_, err = w.Issuer.Create(t.Context(), r)
				}
				require.NoError(t, err)
				told := map[string]bool{}
				for _, e := range w.Events() {
					if tellsOfANewDevice(e) {
						told[e.DeviceID] = true
					}
				}
				for _, d := range a.Stored().State.Devices {
					require.True(t, told[d.ID], "no Event tells of the device %s", d.ID)
				}
			})
		}
	}
}

// slowRehash is a verifier whose new hash takes until release is closed or the
// time is up.
type slowRehash struct {
	verifier.Verifier
	release <-chan struct{}
	late    chan<- bool
}

func (s slowRehash) Verify(ctx context.Context, q verifier.Query) (verifier.Verdict, error) {
	v, err := s.Verifier.Verify(ctx, q)
	v.Outdated = true
	return v, err
}

func (s slowRehash) Rehash(ctx context.Context, _ verifier.Query) (string, error) {
	s.late <- waitFor(ctx, s.release)
	return otherHash, nil
}

// waitFor waits for release; it reports whether the time was up before.
func waitFor(ctx context.Context, release <-chan struct{}) (late bool) {
	select {
	case <-release:
		return false
	case <-ctx.Done():
		return true
	}
}

// The bug class: the answer waits for what it does not need. Caller and Observer
// have theirs before a hash is renewed, and renewing it has an end.
func TestCreate_TheAnswerDoesNotWaitForOnRehash(t *testing.T) {
	for _, slow := range []string{"Rehash", "OnRehash"} {
		for _, f := range []credential.Factor{credential.FactorPassword, credential.FactorPIN} {
			t.Run(slow+"/"+f.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					answered, done := make(chan struct{}), make(chan struct{})
					close(done)
					late, observed := make(chan bool, 2), 0
					inRehash, inOnRehash := answered, done
					if slow == "OnRehash" {
						inRehash, inOnRehash = done, answered
					}
					seen := make(chan int, 1)
					w := devicetotptest.New(t, func(c *devicetotp.Config) {
						c.Password, c.PIN = slowRehash{c.Password, inRehash, late}, slowRehash{c.PIN, inRehash, late}
						c.Observer = func(context.Context, devicetotp.Event) { observed++ }
						c.OnRehash = func(ctx context.Context, _ string, _ credential.Factor, _, _ string) error {
							seen <- observed
							late <- waitFor(ctx, inOnRehash)
							return nil
						}
					})
					w.Account("acct").Password("password").PIN("8299")
					r := devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID}
					right(&r, f)
					start := time.Now()
					_, err := w.Issuer.Create(t.Context(), r)
					require.NoError(t, err)
					require.Zero(t, time.Since(start), "the answer waited")
					close(answered)
					synctest.Wait()
					require.Len(t, late, 2, "the hash is renewed")
					require.False(t, <-late, "Rehash was over before the answer")
					require.False(t, <-late, "OnRehash was over before the answer")
					require.Equal(t, 1, <-seen, "the Observer was told before")
				})
			})
		}
	}
}

// A host whose OnRehash never ends holds nothing up: its context ends.
func TestCreate_OnRehashHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		late := make(chan bool, 3)
		w := devicetotptest.New(t, func(c *devicetotp.Config) {
			c.PIN = slowRehash{c.PIN, never, late}
			c.OnRehash = func(context.Context, string, credential.Factor, string, string) error { return nil }
		})
		w.Account("acct").PIN("8299")
		ctx, hangUp := context.WithCancel(t.Context())
		start := time.Now()
		for n := range 3 {
			_, err := w.Issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(n), PIN: secret("8299")})
			require.NoError(t, err)
		}
		require.Zero(t, time.Since(start), "the answers waited")
		hangUp() // which is no reason to stop
		require.True(t, <-late)
		require.LessOrEqual(t, time.Since(start), 10*time.Second, "Limits.VerifierTimeout")
	})
}
