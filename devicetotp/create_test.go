package devicetotp_test

import (
	"cmp"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

func TestCreateIssuesWhatTheAPIDescriptionShows(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("acct").RegisteredAgo(10 * time.Minute).PIN("8299").Password("superSecret12345!").OTP("526271")
	d, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{
		AccountID: "acct", DeviceID: strings.ToUpper(deviceID),
		OTP: secret("526271"), Password: secret("superSecret12345!"), PIN: secret("8299"),
	})
	require.NoError(t, err)
	require.Equal(t, deviceID, d.ID, "answered in lower case")
	require.Len(t, d.Base32(), 32)
	require.Equal(t, 30*time.Second, d.Period)
	require.Equal(t, 6, d.Digits)
	require.Equal(t, credential.AlgorithmSHA1, d.Algorithm)
	require.Equal(t, credential.BasisOTP, d.Basis)
	require.Equal(t, devicetotptest.Start, d.CreatedAt)

	event := w.Events()[len(w.Events())-1]
	require.Equal(t, []devicetotp.FactorResult{{Factor: credential.FactorOTP, Result: devicetotp.ResultValid, Kind: verifier.KindAccount}}, event.Factors)
	require.Equal(t, deviceID, event.DeviceID)
	require.Equal(t, 1, event.Rounds)
}

func TestCreateMakesAnIDWhereNoneIsGiven(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("acct").RegisteredAgo(0)
	seen := map[string]bool{}
	for range 3 {
		d, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct"})
		require.NoError(t, err)
		require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, d.ID)
		require.False(t, seen[d.ID])
		seen[d.ID] = true
	}
}

func TestCreateRefusesIDsThatAreNoUUID(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct").RegisteredAgo(0)
	for _, id := range []string{
		" ", "x", "738e379ffe3045ab819cba88804b6368", "{738e379f-fe30-45ab-819c-ba88804b6368}", "738e379f-fe30-45ab-819c-ba88804b636g",
		"738e379f-fe30-45ab-819c_ba88804b6368", deviceID + " ", deviceID + "\x00", "738e379f-fe30-45ab-819c-ba88804b63\u0661",
	} {
		w.Store.Script()
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: id})
		require.Equal(t, totperrors.FieldDeviceID, requireCode(t, totperrors.CodeInvalidID, err).Field)
		require.ErrorIs(t, err, devicetotp.ErrInvalid)
		require.Empty(t, w.Store.Calls(), "shape first, no I/O")
	}
	require.Zero(t, a.Stored().Version)
}

func TestIDsAreScopedPerAccount(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("alice").RegisteredAgo(0)
	w.Account("bob").RegisteredAgo(0)
	first, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "alice", DeviceID: deviceID})
	require.NoError(t, err)
	second, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "bob", DeviceID: deviceID})
	require.NoError(t, err)
	require.False(t, second.Replayed)
	require.NotEqual(t, first.Base32(), second.Base32())
}

// Grace at every instant that matters (both ends inside).
func TestGraceWindow(t *testing.T) {
	for _, c := range []struct {
		ago  time.Duration
		open bool
	}{
		{-30 * time.Second, true}, {-30*time.Second - 1, false}, {0, true}, {1, true},
		{5 * time.Minute, true}, {5*time.Minute + 1, false}, {24 * time.Hour, false}, {-24 * time.Hour, false},
		{time.Duration(1<<63 - 1), false}, {-time.Duration(1<<63 - 1), false},
	} {
		w := devicetotptest.New(t)
		w.Account("acct").RegisteredAgo(c.ago)
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct"})
		if c.open {
			require.NoError(t, err, "%v", c.ago)
		} else {
			requireCode(t, totperrors.CodeCredentialsRequired, err)
		}
	}
	for _, registered := range []time.Time{{}, time.Unix(1<<55, 0), time.Unix(-1<<55, 0)} {
		w := devicetotptest.New(t)
		require.NoError(t, w.Store.Accounts.Put(t.Context(), credential.Account{ID: "acct", RegisteredAt: registered}))
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct"})
		requireCode(t, totperrors.CodeCredentialsRequired, err)
	}
}

func TestGraceOfZeroIsNoGrace(t *testing.T) {
	for _, change := range []func(*devicetotp.Policy){
		func(p *devicetotp.Policy) { p.GraceWindow = 0 }, func(p *devicetotp.Policy) { p.GraceDevices = 0 },
	} {
		w := devicetotptest.New(t, devicetotptest.WithPolicy(change))
		w.Account("acct").RegisteredAgo(0)
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct"})
		requireCode(t, totperrors.CodeCredentialsRequired, err)
	}
}

func TestGraceGivesFiveDevices(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("acct").RegisteredAgo(0)
	for range 5 {
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct"})
		require.NoError(t, err)
	}
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct"})
	requireCode(t, totperrors.CodeCredentialsRequired, err)
}

// A wrong credential is refused within the grace window too.
func TestWrongValueInGraceIsRefused(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct").RegisteredAgo(0).PIN("8299")
	for _, pin := range []string{"8290", "", "8299 ", strings.Repeat("8", 65)} {
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret(pin)})
		require.Equal(t, totperrors.FieldPIN, requireCode(t, totperrors.CodeInvalidCredentials, err).Field)
	}
	require.Empty(t, a.Stored().State.Devices)
	require.Equal(t, 4, a.Stored().State.PIN.Failures)
}

// The response, its cause included, is the same whether the value was wrong, spent,
// replaced, expired, malformed or not set, or the account is unknown.
func TestRefusalsAreTheSame(t *testing.T) {
	w := devicetotptest.New(t, withRecovery)
	w.Account("expired").PIN("8299").OTP("11111111")
	w.Clock.Advance(5 * time.Minute)
	w.Account("set").PIN("8299").Password("password").OTP("22222222").RecoveryCodes(2)
	w.Account("unset")
	w.Account("replaced").OTP("11111111").OTP("22222222")
	spent := w.Account("spent").PIN("8299").OTP("11111111")
	recovery := spent.RecoveryCodes(2)[0]
	device, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "spent", OTP: recovery})
	require.NoError(t, err)
	shown := w.Phone(device).Code()
	_, err = w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "spent", Code: shown})
	require.NoError(t, err)
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "spent", OTP: secret("11111111")})
	require.NoError(t, err)
	w.Clock.Advance(time.Minute) // what was spent has not expired

	values := []string{"11111111", recovery.Reveal(), shown.Reveal(), "1111", "", "\u0661\u0661\u0661\u0661\u0661\u0661"}
	results := map[string][]devicetotp.Result{}
	for _, present := range []func(string) devicetotp.CreateRequest{
		func(v string) devicetotp.CreateRequest { return devicetotp.CreateRequest{OTP: secret(v)} },
		func(v string) devicetotp.CreateRequest { return devicetotp.CreateRequest{Password: secret(v)} },
		func(v string) devicetotp.CreateRequest { return devicetotp.CreateRequest{PIN: secret(v)} },
		func(v string) devicetotp.CreateRequest {
			return devicetotp.CreateRequest{PIN: secret(v), OTP: secret(v)}
		},
	} {
		var first string
		for _, account := range []string{"set", "unset", "expired", "replaced", "spent", "unknown"} {
			for _, value := range values {
				r := present(value)
				r.AccountID, r.DeviceID = account, deviceID
				_, err := w.Issuer.Create(t.Context(), r)
				require.ErrorIs(t, err, devicetotp.ErrDenied)
				first = cmp.Or(first, err.Error())
				require.Equal(t, first, err.Error(), "%s, %q", account, value)
				checked := w.Events()[len(w.Events())-1].Factors
				results[account] = append(results[account], checked[0].Result)
				require.NoError(t, unblockIfKnown(w, account))
			}
		}
	}
	require.Equal(t, devicetotp.ResultSpent, results["spent"][0], "the Event tells the operator")
	require.Equal(t, devicetotp.ResultWrong, results["expired"][0])
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "unknown"})
	requireCode(t, totperrors.CodeCredentialsRequired, err)
}

func unblockIfKnown(w *devicetotptest.World, account string) error {
	if account == "unknown" {
		return nil
	}
	return w.Issuer.Unblock(context.Background(), devicetotp.UnblockRequest{AccountID: account})
}

// openStore has an account of every id, registered just now.
type openStore struct{ credential.Store }

func (openStore) Load(_ context.Context, id string) (credential.Account, error) {
	return credential.Account{ID: id, RegisteredAt: devicetotptest.Start}, nil
}

func TestEmptyAccountIDIsTheHostsFault(t *testing.T) {
	w := devicetotptest.New(t)
	issuer, err := devicetotp.NewIssuer(openStore{w.Store}, w.Keys, devicetotp.Config{Clock: w.Clock})
	require.NoError(t, err)
	_, err = issuer.Create(t.Context(), devicetotp.CreateRequest{})
	require.ErrorContains(t, requireCode(t, totperrors.CodeInternal, err), "authenticate the caller")
}

func TestFailuresBelongToTheHashTheyWereCountedAgainst(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct").PIN("8299")
	for range 5 {
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("0000")})
		requireCode(t, totperrors.CodeInvalidCredentials, err)
	}
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("8299")})
	require.Equal(t, 30*time.Second, requireCode(t, totperrors.CodeTooManyAttempts, err).RetryAfter)
	a.PIN("1234")
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("1234")})
	require.NoError(t, err, "a new PIN starts at zero")
}

// The back-off and the block, in the time of the fake clock.
func TestPINBackoffAndBlock(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("acct").PIN("8299")
	try := func(pin string) error {
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret(pin)})
		return err
	}
	for range 4 {
		requireCode(t, totperrors.CodeInvalidCredentials, try("0000"))
	}
	for _, wait := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute} {
		requireCode(t, totperrors.CodeInvalidCredentials, try("0000"))
		require.Equal(t, wait, requireCode(t, totperrors.CodeTooManyAttempts, try("8299")).RetryAfter)
		w.Clock.Advance(wait - 1)
		require.Equal(t, time.Duration(1), requireCode(t, totperrors.CodeTooManyAttempts, try("8299")).RetryAfter)
		w.Clock.Advance(1)
	}
	requireCode(t, totperrors.CodeInvalidCredentials, try("0000"))
	w.Clock.Advance(10000 * time.Hour)
	require.Zero(t, requireCode(t, totperrors.CodeTooManyAttempts, try("8299")).RetryAfter, "only the host can unblock")
	require.NoError(t, w.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct", Factors: []credential.Factor{credential.FactorPIN}}))
	require.NoError(t, try("8299"))
}

func TestAFactorThatGrantsClearsItsOwnFailuresOnly(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct").PIN("8299").Password("password")
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: secret("000000"), Password: secret("no"), PIN: secret("no")})
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: secret("000000"), Password: secret("no"), PIN: secret("8299")})
	require.NoError(t, err)
	state := a.Stored().State
	require.Equal(t, [3]int{2, 2, 0}, [3]int{state.OTP.Failures, state.Password.Failures, state.PIN.Failures})
}

func TestHostVerifiersPlugIn(t *testing.T) {
	otp := verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
		if q.Presented.Matches(secret("letmein")) {
			return verifier.Verdict{Status: verifier.StatusValid, ProofID: "host:1", Until: q.Now.Add(time.Hour)}, nil
		}
		return verifier.Verdict{Status: verifier.StatusWrong}, nil
	})
	w := devicetotptest.New(t, func(c *devicetotp.Config) { c.OTP, c.Password, c.PIN = otp, verifier.Off(), nil })
	w.Account("acct").Password("password").PIN("8299")
	d, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, OTP: secret("letmein")})
	require.NoError(t, err)
	require.Equal(t, credential.BasisOTP, d.Basis)
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: secret("letmein")})
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	again, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, OTP: secret("letmein")})
	require.NoError(t, err)
	require.True(t, again.Replayed, "a proof of the host's own verifier is recognised again too")
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", Password: secret("password")})
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("8299")})
	require.NoError(t, err)
}

// A host's own verifier may say valid again and again: each time step of a
// device makes one device, whatever it says of the step.
func TestAStepThatAHostsVerifierRepeatsIsSpent(t *testing.T) {
	for _, step := range []int64{-1, 0, 7} {
		otp := verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
			return verifier.Verdict{
				Status: verifier.StatusValid, ProofID: "host:1", Until: q.Now.Add(time.Hour), DeviceID: q.Devices[0].ID, Step: step,
			}, nil
		})
		w := devicetotptest.New(t, func(c *devicetotp.Config) { c.OTP = otp })
		a, _ := enrol(t, w, "acct", 1)
		granted := 0
		for range 3 {
			if _, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: secret("letmein")}); err == nil {
				granted++
			} else {
				requireCode(t, totperrors.CodeInvalidCredentials, err)
			}
		}
		require.Equal(t, min(1, max(0, int(step))), granted, "a step that is not positive was never one of the device's")
		require.Len(t, a.Stored().State.Devices, 1+granted)
	}
}

// The steps of the new secret of a rotation are counted apart from those of the old
// one, until the device has the new one.
func TestAStepOfARotationThatAHostsVerifierRepeatsIsSpent(t *testing.T) {
	for _, c := range []struct {
		name    string
		pending bool
		step    int64
		want    totperrors.Code
	}{
		{"used, and newer than those of the old secret", true, 7, totperrors.CodeInvalidCredentials},
		{"newer than the used one", true, 8, ""},
		{"of a rotation that there is none of, used", false, 3, totperrors.CodeInvalidCredentials},
		{"of a rotation that there is none of", false, 4, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := devicetotptest.New(t, func(config *devicetotp.Config) {
				config.OTP = says(verifier.Verdict{
					Status: verifier.StatusValid, ProofID: "host:1", Until: devicetotptest.Start.Add(time.Hour), DeviceID: otherID(0), Step: c.step, Rotated: true,
				}, nil)
			})
			enrol(t, w, "acct", 1)
			changeState(t, w, func(s *credential.State) { s.Devices[0].LastStep = 3 })
			if c.pending {
				_, err := w.Issuer.Rotate(t.Context(), devicetotp.RotateRequest{AccountID: "acct", DeviceID: otherID(0), RotationID: rotationID(0), PIN: secret("8299")})
				require.NoError(t, err)
				changeState(t, w, func(s *credential.State) { s.Devices[0].Rotation.LastStep = 7 })
			}
			_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: secret("letmein")})
			require.Equal(t, c.want, devicetotp.CodeOf(err), "%v", err)
		})
	}
}

func TestAnUnknownAccountIsNeverGranted(t *testing.T) {
	yes := verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
		return verifier.Verdict{Status: verifier.StatusValid, ProofID: "p", Until: q.Now.Add(time.Hour)}, nil
	})
	w := devicetotptest.New(t, func(c *devicetotp.Config) { c.OTP, c.Password, c.PIN = yes, yes, yes })
	for _, r := range []devicetotp.CreateRequest{{OTP: secret("1")}, {Password: secret("1")}, {PIN: secret("1")}} {
		r.AccountID = "nobody"
		w.Store.Script()
		_, err := w.Issuer.Create(t.Context(), r)
		requireCode(t, totperrors.CodeInvalidCredentials, err)
		require.Equal(t, []devicetotptest.StoreCall{{Method: devicetotptest.MethodLoad, AccountID: "nobody"}}, w.Store.Calls())
	}
}

func TestExactlyTwoStoreCallsARequest(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("acct").RegisteredAgo(0).PIN("8299")
	for _, r := range []devicetotp.CreateRequest{{}, {PIN: secret("8299")}, {PIN: secret("0000")}} {
		r.AccountID = "acct"
		w.Store.Script()
		_, _ = w.Issuer.Create(t.Context(), r)
		require.Equal(t, []devicetotptest.StoreCall{{Method: devicetotptest.MethodLoad, AccountID: "acct"}, {Method: devicetotptest.MethodSave, AccountID: "acct"}}, w.Store.Calls())
	}
}

func TestEvictionIsTold(t *testing.T) {
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.MaxDevices = 2 }))
	w.Account("acct").RegisteredAgo(0).PIN("8299")
	for i := range 2 {
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(i)})
		require.NoError(t, err)
		w.Clock.Advance(time.Second)
	}
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("0000")})
	requireCode(t, totperrors.CodeDeviceLimitReached, err)
	w.Clock.Advance(24 * time.Hour)
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("8299")})
	require.NoError(t, err)
	events := w.Events()
	require.Equal(t, []string{otherID(0)}, events[len(events)-1].Evicted)
}
