package pgbouncertest

import (
	"context"
	"errors"
	"testing"

	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// Need starts a pooler in front of the server for t, and stops it at the end of
// t. Without a PgBouncer the test is skipped, or fails where the environment says
// CI=true.
func Need(t testing.TB, server *pgtest.Server) *Pooler {
	t.Helper()
	p, err := Start(context.Background(), server)
	switch {
	case errors.Is(err, ErrNotInstalled):
		pgtest.Skip(t, err)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.ended() {
			t.Logf("pgbouncer had ended by itself\n%s", p.logTail())
		}
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}
