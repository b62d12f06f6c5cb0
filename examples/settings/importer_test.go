package settings

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
)

const users = 1000

func TestImportOfAThousandUsers(t *testing.T) {
	w := devicetotptest.New(t)
	keys := export(t, w)
	var lines []string
	for i, key := range keys {
		switch address := key.URL(); {
		case i%100 == 7:
			lines = append(lines, strings.Replace(address, "otpauth://totp/", "otpauth://hotp/", 1))
		case i%100 == 8:
			lines = append(lines, strings.Replace(address, "secret=", "secret=1", 1)) // no base32
		case i%50 == 9:
			lines = append(lines, address, "", "  "+address+"\r") // twice, and an empty line between
		default:
			lines = append(lines, address)
		}
	}
	lines = append(lines,
		strings.Replace(keys[0].URL(), "user0000", "nobody", 1),
		strings.Replace(keys[0].URL(), "user0000", "user0001", 1), // who has another secret by now
		"user,secret,digits", "otpauth://")

	require.Equal(t, map[Outcome]int{
		Added: users - 20, AlreadyThere: 20, Broken: 22, NoAccount: 1, OtherSecret: 1,
	}, run(t, w, lines))

	// Somebody mends the broken lines, a user removes the device, and it runs again.
	gone := importedID("Acme", "user0002")
	_, err := w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "user0002", DeviceIDs: []string{gone}})
	require.NoError(t, err)
	lines = lines[:0]
	for _, key := range keys {
		lines = append(lines, key.URL())
	}
	require.Equal(t, map[Outcome]int{Added: 20, AlreadyThere: users - 21, Removed: 1}, run(t, w, lines))

	for i, key := range keys {
		account := userID(i)
		code := generate(t, key, w.Clock.Now())
		match, err := w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: account, Code: code})
		if account == "user0002" {
			require.Equal(t, devicetotp.CodeInvalidCredentials, devicetotp.CodeOf(err), "the device was removed")
			continue
		}
		require.NoError(t, err, account)
		require.Equal(t, importedID("Acme", account), match.DeviceID)
	}
}

func TestImportGoesOnWhereItWasStopped(t *testing.T) {
	w := devicetotptest.New(t)
	var lines strings.Builder
	for _, key := range export(t, w)[:10] {
		fmt.Fprintln(&lines, key.URL())
	}
	ctx, stop := context.WithCancel(t.Context())
	counts, err := ImportLines(ctx, w.Issuer, "Acme", strings.NewReader(lines.String()), func(p Progress) {
		if p.Line == 4 {
			stop()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 4, counts[Added])

	// The store fails once: the line is told of, and the rest goes on.
	w.Store.Script(devicetotptest.Fault{Err: fmt.Errorf("the database is away")})
	all := strings.Split(lines.String(), "\n")
	require.Equal(t, map[Outcome]int{AlreadyThere: 3, Failed: 1, Added: 6}, run(t, w, all))
	require.Equal(t, map[Outcome]int{AlreadyThere: 10}, run(t, w, all))
}

// run imports lines, and checks that each is told of and no secret is.
func run(t *testing.T, w *devicetotptest.World, lines []string) map[Outcome]int {
	t.Helper()
	last := 0
	told := map[Outcome]int{}
	counts, err := ImportLines(t.Context(), w.Issuer, "Acme", strings.NewReader(strings.Join(lines, "\n")),
		func(p Progress) {
			require.Greater(t, p.Line, last)
			last = p.Line
			told[p.Outcome]++
			require.NotContains(t, fmt.Sprint(p.Err), "secret=")
		})
	require.NoError(t, err)
	require.Equal(t, counts, told)
	return counts
}

// export makes the users, and their devices in another service: of every
// algorithm, with secrets of a fixed seed.
func export(t *testing.T, w *devicetotptest.World) []*otp.Key {
	t.Helper()
	random := rand.NewChaCha8([32]byte{1})
	keys := make([]*otp.Key, 0, users)
	for i := range users {
		w.Account(userID(i))
		key, err := totp.Generate(totp.GenerateOpts{
			Issuer: "Acme", AccountName: userID(i), Rand: random, SecretSize: 20,
			Algorithm: []otp.Algorithm{otp.AlgorithmSHA1, otp.AlgorithmSHA256, otp.AlgorithmSHA512}[i%3],
			Digits:    []otp.Digits{otp.DigitsSix, otp.DigitsEight}[i%2],
		})
		require.NoError(t, err)
		keys = append(keys, key)
	}
	return keys
}

// generate is the user's phone, which has the key from the other service.
func generate(t *testing.T, key *otp.Key, at time.Time) credential.Secret {
	t.Helper()
	code, err := totp.GenerateCodeCustom(key.Secret(), at, totp.ValidateOpts{
		Period: uint(key.Period()), Digits: key.Digits(), Algorithm: key.Algorithm(),
	})
	require.NoError(t, err)
	return credential.NewSecret(code)
}

func userID(i int) string { return fmt.Sprintf("user%04d", i) }
