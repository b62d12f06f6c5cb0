package sqltest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/internal/hosttest"
	"example.com/devicetotp/credential/sqlstore"
)

func TestHostSideIsThatOfEveryStore(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		hosttest.Run(t, func(t *testing.T) hosttest.Store { return d.emptied(t) })
	})
}

// What a host fills in with SQL of its own loads with the columns' defaults.
func TestRowOfAnotherToolLoads(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		db := d.open(t)
		s := migrated(t, db, d.dialect, sqlstore.Config{})
		_, err := db.Exec(`INSERT INTO devicetotp_accounts (id) VALUES ('a')`)
		require.NoError(t, err)
		a := load(t, s, "a")
		require.Equal(t, credential.Account{ID: "a"}, a)
		require.NoError(t, save(s, a))
	})
}
