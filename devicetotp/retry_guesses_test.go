package devicetotp_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// lostAnswer is a house in which a device was just made on a mailed code, and the
// answer was lost. Whoever repeats the request with the same code gets the secret.
func lostAnswer(t *testing.T, configure ...func(*devicetotp.Config)) (h *house, repeat devicetotp.CreateRequest) {
	t.Helper()
	h = newHouse(t, configure...)
	h.addCode(t, verifier.KindAccount, rightCode)
	repeat = devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, OTP: secret(rightCode)}
	_, err := h.Issuer.Create(t.Context(), repeat)
	require.NoError(t, err)
	return h, repeat
}

// While everything else that the OTP could be compared with is resting, the code
// that a new device was created on was compared with any number of guesses, and
// none was counted.
func TestCreate_GuessesAtTheOTPOfARetryAreCountedWhateverElseIsBlocked(t *testing.T) {
	h, repeat := lostAnswer(t)
	h.addCode(t, verifier.KindAccount, "66666666")
	for range 5 { // the kind rests for half a minute
		require.True(t, lookedAt(h.create(t, secret(wrongCode))))
	}
	require.NoError(t, h.verify(t, ownID, h.own.Code())) // and the pace is reset
	guess := repeat
	guess.OTP = secret(wrongCode)
	compared := 0
	for range 1000 {
		if _, err := h.Issuer.Create(t.Context(), guess); lookedAt(err) {
			compared++
		}
	}
	_, err := h.Issuer.Create(t.Context(), repeat)
	require.Error(t, err, "a thousand guesses later, the right one")
	requireCode(t, totperrors.CodeTooManyAttempts, err)
	require.Equal(t, 5, compared)
}

// An own device resets the pace once a time step, and ten of them do so ten times.
func TestCreate_OwnCodesBuyNoGuessesAtTheOTPOfARetry(t *testing.T) {
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.RetryWindow = 10 * time.Minute }))
	a, devices := enrol(t, w, "acct", 11)
	h, phones := &house{World: w, account: a}, make([]*devicetotptest.Phone, len(devices))
	for i, d := range devices {
		phones[i] = w.Phone(d)
	}
	repeat := devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, OTP: phones[10].Code()}
	_, err := h.Issuer.Create(t.Context(), repeat)
	require.NoError(t, err)
	guess, compared := repeat, 0
	for end := w.Clock.Now().Add(10 * time.Minute); w.Clock.Now().Before(end); w.Clock.Advance(30 * time.Second) {
		for i := range phones[:10] {
			guess.OTP = wrong6(phones...)
			for range 4 {
				if _, err := h.Issuer.Create(t.Context(), guess); lookedAt(err) {
					compared++
				}
			}
			require.NoError(t, h.verify(t, devices[i].ID, phones[i].Code()))
		}
	}
	require.Equal(t, 9, compared, "five at once, then one after 30 s, 60 s, 120 s and 240 s")
}

// A guess that is compared is counted, also where the request then fails for
// another reason: otherwise whoever can make it fail guesses on.
func TestCreate_AGuessAtTheOTPOfARetryIsCountedThoughTheRequestFails(t *testing.T) {
	down := errors.New("down")
	for name, breakHouse := range map[string]func(*house){
		"no secret": func(h *house) {
			for range 100 {
				h.Secrets.Next(credential.Secret{}, down)
			}
		},
		"no device opens": func(h *house) {
			a := h.account.Stored()
			for i := range a.State.Devices {
				a.State.Devices[i].Sealed[len(a.State.Devices[i].Sealed)-1] ^= 1
			}
			require.NoError(t, h.Store.Accounts.Replace(t.Context(), a))
		},
		"no proof may be forgotten": func(h *house) {
			a := h.account.Stored()
			for i := range credential.MaxSpent {
				a.State.Spent = append(a.State.Spent, credential.SpentProof{ProofID: fmt.Sprint(i), Until: h.Clock.Now().Add(time.Hour)})
			}
			require.NoError(t, h.Store.Accounts.Replace(t.Context(), a))
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			guess := devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, OTP: h.target.Code()}
			_, err := h.Issuer.Create(t.Context(), guess)
			require.NoError(t, err)
			guess.OTP = wrong6(h.own, h.target)
			breakHouse(h)
			compared := 0
			for range 100 {
				_, err := h.Issuer.Create(t.Context(), guess)
				require.Error(t, err)
				if devicetotp.CodeOf(err) != totperrors.CodeTooManyAttempts {
					compared++
				}
			}
			require.Equal(t, 5, compared)
		})
	}
}

// An OTP that made an earlier device of the id is recognized, which is a comparison
// too: while guesses are not counted it is not made, or the answer would tell a
// right one from a wrong one any number of times.
func TestCreate_WhileGuessesRestNoEarlierOTPIsRecognized(t *testing.T) {
	h, late := lostAnswer(t)
	guess := late
	guess.OTP = h.own.Code()
	_, err := h.Issuer.Create(t.Context(), guess)
	require.NoError(t, err, "it replaces the device")
	guess.OTP = secret(wrongCode)
	for range 5 {
		_, err := h.Issuer.Create(t.Context(), guess)
		requireCode(t, totperrors.CodeInvalidCredentials, err)
	}
	before := h.account.Stored().State
	_, wrong := h.Issuer.Create(t.Context(), guess)
	requireCode(t, totperrors.CodeTooManyAttempts, wrong)
	_, right := h.Issuer.Create(t.Context(), late)
	require.Equal(t, wrong, right)
	require.Equal(t, before, h.account.Stored().State, "neither is counted")

	h.Clock.Advance(30 * time.Second)
	_, err = h.Issuer.Create(t.Context(), late)
	requireCode(t, totperrors.CodeIDInUse, err)
	require.Equal(t, before.OTP, h.account.Stored().State.OTP, "a late request is no guess")
}
