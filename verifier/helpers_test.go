package verifier_test

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

const (
	account  = "account-1"
	deviceID = "738e379f-fe30-45ab-819c-ba88804b6368"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// cheap is a cost for tests in which the cost is not the point.
func cheap() verifier.HasherConfig {
	return verifier.HasherConfig{Memory: 64, Time: 1, Threads: 1, Parallel: 2, Queue: 256}
}

func newHasher(t testing.TB, cfg verifier.HasherConfig) *verifier.Hasher {
	t.Helper()
	h, err := verifier.NewHasher(cfg)
	require.NoError(t, err)
	return h
}

// ring returns a keyring of fixed keys, the named one primary.
func ring(t testing.TB, primary string, ids ...string) *credential.Keyring {
	t.Helper()
	keys := make([]credential.Key, len(ids))
	for i, id := range ids {
		secret := make([]byte, credential.KeySize)
		copy(secret, id)
		keys[i] = credential.Key{ID: id, Secret: credential.NewSecret(string(secret))}
	}
	out, err := credential.NewKeyring(primary, keys...)
	require.NoError(t, err)
	return out
}

// query asks about whatever a has one of: a password, a PIN, or codes and devices.
func query(a credential.Account, presented credential.Secret, now time.Time) verifier.Query {
	q := verifier.NewQuery(a, credential.FactorOTP, presented, now)
	q.Hash = credential.Optional(a.PasswordHash + a.PINHash)
	return q
}

// argonText is an argon2id hash in PHC string format, with a salt of 16 zeros.
func argonText(m, t, p int, tag []byte) string {
	enc := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", m, t, p, enc(make([]byte, 16)), enc(tag))
}

func secret(v string) credential.Secret { return credential.NewSecret(v) }

// rfcTOTP is the TOTP of RFC 6238 appendix B for SHA1, with six digits.
func rfcTOTP() verifier.TOTP {
	return verifier.TOTP{
		Secret: secret("12345678901234567890"), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
	}
}

// issue returns the device of p, sealed by keys.
func issue(t testing.TB, keys *credential.Keyring, id string, p verifier.TOTP) credential.Device {
	t.Helper()
	return resealed(t, keys, credential.Device{ID: id, Algorithm: p.Algorithm, Digits: p.Digits, Period: p.Period}, p.Secret)
}

// resealed returns d with secret sealed for it as it is now.
func resealed(t testing.TB, keys *credential.Keyring, d credential.Device, secret credential.Secret) credential.Device {
	t.Helper()
	var err error
	d.Sealed, err = keys.Seal(credential.DeviceScope(account, &d), secret)
	require.NoError(t, err)
	return d
}

// pending returns a one-time code, digested by keys.
func pending(t testing.TB, keys *credential.Keyring, id, kind, code string, expires time.Time) credential.OneTimeCode {
	t.Helper()
	scope := credential.Scope{Purpose: credential.PurposeOneTimeCode, AccountID: account, Subject: id}
	digest, err := keys.Digest(scope, secret(code))
	require.NoError(t, err)
	return credential.OneTimeCode{ID: id, Kind: kind, Digest: digest, ExpiresAt: expires}
}

// codeOf returns the code that the device of p shows in that time step, which is
// both the peer's and ours.
func codeOf(t testing.TB, p verifier.TOTP, step int64) credential.Secret {
	t.Helper()
	code, err := p.Code(step)
	require.NoError(t, err)
	require.Equal(t, peerCode(t, p, step), code.Reveal())
	return code
}

func ptr[T any](v T) *T { return &v }
