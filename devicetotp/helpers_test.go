package devicetotp_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

const deviceID = "738e379f-fe30-45ab-819c-ba88804b6368"

// otherID returns a device id of its own for each n.
func otherID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", n) }

func rotationID(n int) string { return fmt.Sprintf("00000000-0000-4000-9000-%012d", n) }

func secret(s string) credential.Secret { return credential.NewSecret(s) }

func requireCode(t *testing.T, want devicetotp.Code, err error) *devicetotp.Error {
	t.Helper()
	require.Equal(t, want, devicetotp.CodeOf(err), "%v", err)
	var e *devicetotp.Error
	require.ErrorAs(t, err, &e)
	return e
}

// enrol makes an account with n devices, created on a PIN.
func enrol(t *testing.T, w *devicetotptest.World, id string, n int) (*devicetotptest.Account, []devicetotp.DeviceTOTP) {
	t.Helper()
	a := w.Account(id).PIN("8299").Password("password")
	devices := make([]devicetotp.DeviceTOTP, n)
	for i := range devices {
		d, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: id, DeviceID: otherID(i), PIN: secret("8299")})
		require.NoError(t, err)
		devices[i] = d
	}
	return a, devices
}

func verify(t *testing.T, w *devicetotptest.World, device string, code credential.Secret) (devicetotp.Match, error) {
	t.Helper()
	return w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", DeviceID: device, Code: code})
}

// hooked returns v, and calls before each time v is asked.
func hooked(v verifier.Verifier, before func()) verifier.Verifier {
	return verifier.Func(func(ctx context.Context, q verifier.Query) (verifier.Verdict, error) {
		before()
		return v.Verify(ctx, q)
	})
}

func says(v verifier.Verdict, err error) verifier.Verifier {
	return verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
		return v, err
	})
}

func panics() verifier.Verifier { return hooked(verifier.Off(), func() { panic("boom") }) }

func blocks() verifier.Verifier {
	return verifier.Func(func(ctx context.Context, q verifier.Query) (verifier.Verdict, error) {
		<-ctx.Done()
		return verifier.Verdict{}, ctx.Err()
	})
}

type sourceFunc func(context.Context, int) (credential.Secret, error)

func (f sourceFunc) NewSecret(ctx context.Context, size int) (credential.Secret, error) {
	return f(ctx, size)
}

// together runs f in n goroutines at once and counts the codes of its errors.
func together(n int, f func(i int) error) map[devicetotp.Code]int {
	var mu sync.Mutex
	var wg sync.WaitGroup
	codes := map[devicetotp.Code]int{}
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			code := devicetotp.CodeOf(f(i))
			mu.Lock()
			codes[code]++
			mu.Unlock()
		})
	}
	close(start)
	wg.Wait()
	return codes
}

// issuers returns n Issuers over one store, as several processes have: their lanes know
// nothing of each other.
func issuers(t *testing.T, w *devicetotptest.World, n int) []*devicetotp.Issuer {
	t.Helper()
	out := make([]*devicetotp.Issuer, n)
	for i := range out {
		var err error
		out[i], err = devicetotp.NewIssuer(w.Store, w.Keys, devicetotp.Config{
			Clock: w.Clock, Password: verifier.Password(w.Hasher), PIN: verifier.PIN(w.Keys, w.Hasher),
			Secrets: w.Secrets, // not random ones, whose codes are the same now and then
		})
		require.NoError(t, err)
	}
	return out
}

func ids(devices []credential.Device) (out []string) {
	for _, d := range devices {
		out = append(out, d.ID)
	}
	return out
}
