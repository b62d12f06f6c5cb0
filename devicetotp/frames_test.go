package devicetotp_test

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// The way from the API to the rule stays short: at most five frames from a
// method of Issuer, that one included, to Store.Load, and at most five between
// the loop and Verifier.Verify.
func TestTheWayToTheStoreAndToTheVerifierIsShort(t *testing.T) {
	var toStore, toVerifier []string
	w := devicetotptest.New(t, func(c *devicetotp.Config) {
		c.PIN = verifier.Func(func(context.Context, verifier.Query) (verifier.Verdict, error) {
			toVerifier = frames()
			return verifier.Verdict{Status: verifier.StatusValid}, nil
		})
	})
	w.Account("acct").RegisteredAgo(0).PIN("8299")
	issuer, err := devicetotp.NewIssuer(stackStore{w.Store, &toStore}, w.Keys, devicetotp.Config{Clock: w.Clock})
	require.NoError(t, err)
	device, err := issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct"})
	require.NoError(t, err)
	requireShort(t, toStore)
	_, err = issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", Code: w.Phone(device).Code()})
	require.NoError(t, err)
	requireShort(t, toStore)

	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("8299")})
	require.NoError(t, err)
	for i, frame := range toVerifier {
		if strings.Contains(frame, "rounds.Run[") {
			toVerifier = toVerifier[:i]
			break
		}
	}
	requireShort(t, toVerifier)
}

func requireShort(t *testing.T, frames []string) {
	t.Helper()
	require.NotEmpty(t, frames)
	require.LessOrEqual(t, len(frames), 5, strings.Join(frames, "\n"))
}

type stackStore struct {
	credential.Store
	frames *[]string
}

func (s stackStore) Load(ctx context.Context, id string) (credential.Account, error) {
	*s.frames = frames()
	return s.Store.Load(ctx, id)
}

// frames returns the functions of the library that called the collaborator which
// calls it, the nearest first, up to the method of Issuer.
func frames() (out []string) {
	pcs := make([]uintptr, 32)
	all := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		frame, more := all.Next()
		product := strings.Contains(frame.Function, "/devicetotp/devicetotp.") || strings.Contains(frame.Function, "/internal/rounds.")
		if product {
			out = append(out, frame.Function)
		}
		if !more || strings.Contains(frame.Function, "(*Issuer).") {
			return out
		}
	}
}
