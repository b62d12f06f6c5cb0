package sqltest

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// What SECURITY.md has an operator write after the database and the keyring have
// leaked is accepted by each database, and leaves accounts that a new keyring serves.
func TestAnEmptyStateIsAFreshStart(t *testing.T) {
	page, err := os.ReadFile("../../../SECURITY.md")
	require.NoError(t, err)
	update := string(regexp.MustCompile("UPDATE devicetotp_accounts [^`]*").Find(page))
	require.NotEmpty(t, update)
	require.Contains(t, string(page), "`x''` for the state on SQLite")

	hasher, err := verifier.NewHasher(verifier.HasherConfig{Memory: 64, Time: 1, Threads: 1, Parallel: 2, Queue: 8})
	require.NoError(t, err)
	hash := func(value string) string {
		h, err := hasher.Hash(t.Context(), credential.NewSecret(value))
		require.NoError(t, err)
		return h
	}
	eachDatabase(t, func(t *testing.T, d database) {
		ctx := t.Context()
		db := d.open(t)
		store := migrated(t, db, d.dialect, sqlstore.Config{})
		under := func(keyID string) (*devicetotp.Issuer, *credential.Keyring) {
			keys, err := credential.NewKeyring(keyID, credential.NewKey(keyID))
			require.NoError(t, err)
			issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{})
			require.NoError(t, err)
			return issuer, keys
		}
		leaked, keys := under("leaked")
		sealed, err := keys.SealPINHash("a", hash("8299"))
		require.NoError(t, err)
		require.NoError(t, store.Put(ctx, credential.Account{ID: "a", RegisteredAt: time.Now().Add(-time.Hour), PasswordHash: hash("password"), PINHash: sealed}))
		_, err = leaked.AddCode(ctx, devicetotp.AddCodeRequest{AccountID: "a", Kind: verifier.KindAccount, Code: credential.NewSecret(theOTP), TTL: time.Minute})
		require.NoError(t, err)
		_, err = leaked.Create(ctx, devicetotp.CreateRequest{AccountID: "a", DeviceID: deviceA, PIN: credential.NewSecret("8299")})
		require.NoError(t, err)

		statement := update
		if d.dialect == sqlstore.DialectSQLite {
			statement = strings.Replace(statement, "state = ''", "state = x''", 1)
		}
		_, err = db.Exec(statement)
		require.NoError(t, err)

		renewed, keys := under("new")
		sealed, err = keys.SealPINHash("a", hash("5512"))
		require.NoError(t, err)
		require.NoError(t, store.RotateHash(ctx, "a", credential.FactorPIN, "", sealed))
		view, err := renewed.Inspect(ctx, "a")
		require.NoError(t, err)
		require.Empty(t, view.Devices)
		require.Empty(t, view.Codes)
		require.Empty(t, view.Unreadable)
		require.Equal(t, []string{"new"}, view.Keys)
		for _, gone := range []devicetotp.CreateRequest{{OTP: credential.NewSecret(theOTP)}, {PIN: credential.NewSecret("8299")}} {
			gone.AccountID = "a"
			_, err = renewed.Create(ctx, gone)
			require.Equal(t, devicetotp.CodeInvalidCredentials, devicetotp.CodeOf(err))
		}
		for id, made := range map[string]devicetotp.CreateRequest{deviceA: {PIN: credential.NewSecret("5512")}, deviceB: {Password: credential.NewSecret("password")}} {
			made.AccountID, made.DeviceID = "a", id
			_, err = renewed.Create(ctx, made)
			require.NoError(t, err)
		}
		view, err = renewed.Inspect(ctx, "a")
		require.NoError(t, err)
		require.Len(t, view.Devices, 2)
		require.Empty(t, view.Unreadable)
	})
}
