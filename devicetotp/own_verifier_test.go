package devicetotp_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// A host's own verifier may say valid again and again, and what it compared: its proof
// makes one device, and so does each time step.
func TestAProofThatAHostsVerifierRepeatsIsSpent(t *testing.T) {
	for name, valid := range map[string]verifier.Verdict{
		"a proof": {ProofID: "host:1"},
		"a proof of a kind": {ProofID: "host:1", Compared: []verifier.Compared{
			{CodeID: "1", Kind: "host", Right: true},
		}},
		"a step": {ProofID: "host:1", DeviceID: ownID, Step: 7},
		"a step that was compared": {ProofID: "host:1", DeviceID: ownID, Step: 7, Compared: []verifier.Compared{
			{DeviceID: ownID, Right: true, Match: verifier.DeviceMatch{DeviceID: ownID, Step: 7}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, func(c *devicetotp.Config) {
				c.OTP = verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
					valid.Status, valid.Until = verifier.StatusValid, q.Now.Add(time.Hour)
					return valid, nil
				})
			})
			require.NoError(t, h.create(t, secret("letmein")))
			for range 3 {
				requireCode(t, totperrors.CodeInvalidCredentials, h.create(t, secret("letmein")))
				requireCode(t, totperrors.CodeInvalidCredentials, h.proveBy(t, secret("letmein")))
				require.NoError(t, h.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
			}
		})
	}
}

// What a verifier of the host's own got wrong, which did not say what it compared,
// blocks no OTP of the verifier that takes its place: nothing that it accepts would
// end that.
func TestWhatAVerifierOfBeforeGotWrongBlocksNoOTP(t *testing.T) {
	for name, before := range map[string]verifier.Verifier{
		"off": verifier.Off(), "one that does not say": says(verifier.Verdict{Status: verifier.StatusWrong}, nil),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.addCode(t, verifier.KindAccount, rightCode)
			other := h.NewIssuer(func(c *devicetotp.Config) { c.OTP = before })
			for range kindLimit {
				_, err := other.Prove(t.Context(), devicetotp.ProveRequest{AccountID: "acct", OTP: secret(wrongCode)})
				requireCode(t, totperrors.CodeInvalidCredentials, err)
				require.NoError(t, h.verify(t, ownID, h.own.Code()), "the pace of the account is reset")
				h.Clock.Advance(time.Hour)
			}
			h.addCode(t, verifier.KindAccount, "22222222")
			view, err := h.Issuer.Inspect(t.Context(), "acct")
			require.NoError(t, err)
			require.False(t, view.Factors[0].Blocked)
			require.NoError(t, h.create(t, secret("22222222")))
			require.NoError(t, h.create(t, h.own.Code()))
		})
	}
}

// Nor does it block another one of the host's own where nothing was compared.
func TestOffComparesNothing(t *testing.T) {
	h := newHouse(t)
	off := h.NewIssuer(func(c *devicetotp.Config) { c.OTP = verifier.Off() })
	own := h.NewIssuer(func(c *devicetotp.Config) { c.OTP = verifier.OTP(h.Keys, verifier.KindDeviceTOTP) })
	for range kindLimit {
		_, err := off.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: h.own.Code()})
		requireCode(t, totperrors.CodeInvalidCredentials, err)
		h.Clock.Advance(time.Hour)
	}
	require.Equal(t, kindLimit, h.account.Stored().State.OTP.Failures, "the pace is that of any OTP")
	_, err := own.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: h.own.Code()})
	require.NoError(t, err)
}

// What it keeps itself counts against the kind that it says, and while that is blocked
// everything else is accepted.
func TestADeviceThatAHostsVerifierKeepsCountsForItsKind(t *testing.T) {
	h := newHouse(t, func(c *devicetotp.Config) {
		c.OTP = verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
			v := verifier.Verdict{Status: verifier.StatusWrong, Compared: []verifier.Compared{{DeviceID: "token 1", Kind: "token"}}}
			if q.Presented.Reveal() == "letmein" {
				v.Status, v.ProofID, v.Until = verifier.StatusValid, "host:1", q.Now.Add(time.Hour)
				v.Compared = append(v.Compared, verifier.Compared{CodeID: "1", Kind: "host", Right: true})
			}
			return v, nil
		})
	})
	for range kindLimit {
		requireCode(t, totperrors.CodeInvalidCredentials, h.create(t, secret(wrongCode)))
		h.Clock.Advance(time.Hour)
	}
	view, err := h.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	require.Len(t, view.Kinds, 1)
	require.Equal(t, "token", view.Kinds[0].Kind)
	require.NoError(t, h.create(t, secret("letmein")))
}

// Whatever a host's own verifier says that it compared counts, also what this library
// does not know: guesses at it end, and a success of something else does not reset that.
func TestWhatAHostsVerifierComparedCountsWhateverItIs(t *testing.T) {
	for name, compared := range map[string][]verifier.Compared{
		"it does not say":               nil,
		"a code":                        {{CodeID: "1", Kind: "token"}},
		"a kind without a code":         {{Kind: "token"}},
		"a device that it keeps itself": {{DeviceID: "token 1"}},
		"two of them, of one kind":      {{Kind: "token"}, {DeviceID: "token 1"}, {DeviceID: "token 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, func(c *devicetotp.Config) {
				c.OTP = verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
					verdict := verifier.Verdict{Status: verifier.StatusWrong, Compared: slices.Clone(compared)}
					if q.Presented.Reveal() == "letmein" {
						verdict.Status, verdict.ProofID, verdict.Until = verifier.StatusValid, "host:1", q.Now.Add(time.Hour)
						if len(compared) > 0 {
							verdict.Compared[0].Right, verdict.DeviceID = true, compared[0].DeviceID
						}
					}
					return verdict, nil
				})
			})
			counted := func() (failures int) {
				for _, k := range h.account.Stored().State.Kinds {
					failures = max(failures, k.Attempts.Failures)
				}
				return failures
			}
			for n := range 50 {
				require.Error(t, h.create(t, secret(wrongCode)))
				require.Equal(t, min(n+1, kindLimit), counted())
				h.Clock.Advance(time.Hour)
				require.NoError(t, h.verify(t, ownID, h.own.Code()), "the pace of the account is reset")
			}
			wrong := h.create(t, secret(wrongCode))
			require.Equal(t, wrong, h.create(t, secret("letmein")), "it says no more than a wrong one does")
			require.NoError(t, h.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
			require.Error(t, h.create(t, secret(wrongCode)))
			require.NoError(t, h.create(t, secret("letmein")))
			for _, k := range h.account.Stored().State.Kinds { // and nothing else
				require.Greater(t, len(compared), 1, "its own success resets it: %+v", k)
				require.NotEqual(t, compared[0].Kind, k.Kind)
			}
		})
	}
}

// What is right beside a blocked kind is accepted: the same value as another kind, and
// what a verifier finds valid without saying as what.
func TestABlockedKindOfAHostsVerifierIsInNobodysWay(t *testing.T) {
	for name, compared := range map[string][]verifier.Compared{
		"another kind":      {{CodeID: "1", Kind: "token", Right: true}, {CodeID: "2", Kind: "card", Right: true}},
		"it says of no one": {},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, func(c *devicetotp.Config) {
				c.OTP = says(verifier.Verdict{Status: verifier.StatusValid, ProofID: "host:1", Until: devicetotptest.Start.Add(time.Hour), Compared: compared}, nil)
			})
			changeState(t, h.World, func(s *credential.State) {
				s.SetKindAttempts("token", credential.Attempts{Failures: kindLimit, LastAt: devicetotptest.Start})
			})
			require.NoError(t, h.create(t, secret("letmein")))
			require.Equal(t, kindLimit, h.account.Stored().State.Kinds[0].Attempts.Failures, "and resets no more than itself")
		})
	}
}

// A verifier that has the devices from elsewhere is not given those that are blocked:
// what it says of them all the same is left out, and nothing of them is reset.
func TestABlockedDeviceOfAHostsVerifierIsLeftOut(t *testing.T) {
	for name, also := range map[string][]verifier.Compared{
		"and nothing is right": nil, "and a code is right": {{CodeID: "1", Kind: "host", Right: true}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, func(c *devicetotp.Config) {
				c.OTP = verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
					v := verifier.Verdict{Status: verifier.StatusWrong, Compared: []verifier.Compared{{DeviceID: ownID}}}
					if q.Presented.Reveal() == "letmein" {
						v.Status, v.ProofID, v.Until, v.DeviceID, v.Step = verifier.StatusValid, "host:1", q.Now.Add(time.Hour), ownID, 7
						v.Compared[0].Right, v.Compared[0].Match = true, verifier.DeviceMatch{DeviceID: ownID, Step: 7}
						v.Compared = append(v.Compared, also...)
					}
					return v, nil
				})
			})
			blocked := credential.Attempts{Failures: unnamedLimit, LastAt: devicetotptest.Start}
			changeState(t, h.World, func(s *credential.State) { s.Devices[0].Attempts = blocked })
			wrong := h.create(t, secret(wrongCode))
			requireCode(t, totperrors.CodeInvalidCredentials, wrong)
			if right := h.create(t, secret("letmein")); also == nil {
				require.Equal(t, wrong, right, "it says no more than a wrong one does")
			} else {
				require.NoError(t, right)
			}
			require.Equal(t, blocked, h.account.Stored().State.Devices[0].Attempts)
		})
	}
}

// Nor do codes of a device that is replaced count, whatever else is right: no device is
// made by itself.
func TestADeviceIsNotReplacedByItsOwnCodeWhateverAHostsVerifierSays(t *testing.T) {
	for name, also := range map[string][]verifier.Compared{
		"and nothing is right": nil, "and a code is right": {{CodeID: "1", Kind: "host", Right: true}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, func(c *devicetotp.Config) {
				c.OTP = verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
					v := verifier.Verdict{Status: verifier.StatusValid, ProofID: q.Presented.Reveal(), Until: q.Now.Add(time.Hour)}
					if v.Compared = []verifier.Compared{{CodeID: "0", Kind: "first", Right: true}}; v.ProofID == "letmein" {
						v.Compared = append([]verifier.Compared{{DeviceID: otherID(5), Right: true, Match: verifier.DeviceMatch{DeviceID: otherID(5), Step: 7}}}, also...)
					}
					return v, nil
				})
			})
			ask := func(otp string) error {
				_, err := h.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(5), OTP: secret(otp)})
				return err
			}
			require.NoError(t, ask("first"))
			if err := ask("letmein"); also == nil {
				requireCode(t, totperrors.CodeInvalidCredentials, err)
			} else {
				require.NoError(t, err)
			}
			require.Empty(t, h.account.Stored().State.Devices[2].MadeBy)
		})
	}
}

// A verdict with kinds that failures could not be counted against is none: a guess that
// is not counted would be one of as many as somebody likes.
func TestAHostsVerifierHasNoMoreKindsThanAreCounted(t *testing.T) {
	for _, c := range []struct {
		kinds, size int
		ok          bool
	}{
		{64, 32, true}, {65, 3, false}, {1000, 10, false}, {1, 33, false}, {1, 100_000, false},
	} {
		t.Run(fmt.Sprint(c.kinds, " of ", c.size), func(t *testing.T) {
			h := newHouse(t, func(cfg *devicetotp.Config) {
				cfg.OTP = verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
					v := verifier.Verdict{Status: verifier.StatusWrong}
					for i := range c.kinds {
						v.Compared = append(v.Compared, verifier.Compared{Kind: fmt.Sprintf("%0*d", c.size, i)})
					}
					if q.Presented.Reveal() == "letmein" {
						v.Status, v.ProofID, v.Until = verifier.StatusValid, "host:1", q.Now.Add(time.Hour)
						v.Compared[0].Right = true
					}
					return v, nil
				})
			})
			for range kindLimit {
				code := totperrors.CodeInternal
				if c.ok {
					code = totperrors.CodeInvalidCredentials
				}
				requireCode(t, code, h.create(t, secret(wrongCode)))
				h.Clock.Advance(time.Hour)
			}
			wrong := h.create(t, secret(wrongCode))
			h.Clock.Advance(time.Hour)
			require.Equal(t, devicetotp.CodeOf(wrong), devicetotp.CodeOf(h.create(t, secret("letmein"))))
			if c.ok {
				require.Len(t, h.account.Stored().State.Kinds, c.kinds)
			}
		})
	}
}
