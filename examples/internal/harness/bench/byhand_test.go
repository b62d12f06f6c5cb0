package main

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential/sqlstore/sqltest/mariadbtest"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// Each request is answered by each of the three, so that the ratios are not of
// refusals, and again after the tables were made again.
func TestByHandAnswersWhatOursAnswers(t *testing.T) {
	for name, on := range map[string]func() target{
		"postgres": func() target { return (&postgres{dsn: pgtest.Need(t).Database(t)}).target() },
		"mariadb":  func() target { return mariaTarget(mariadbtest.Need(t).Database(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			stage, err := newStage(t.Context(), on(), 20)
			require.NoError(t, err)
			defer func() { require.NoError(t, stage.close()) }()
			for _, op := range []string{opCreateOTP, opCreate, opVerify} {
				for _, who := range []string{loopOurs, byUsual, byFewest} {
					for range 2 {
						_, _, err := stage.turn(t.Context(), who, op, 8, time.Minute)
						require.NoError(t, err, "%s %s", who, op)
					}
				}
			}
		})
	}
}

func TestWhatIsSentByHand(t *testing.T) {
	stage, err := newStage(t.Context(), (&postgres{dsn: pgtest.Need(t).Database(t)}).target(), 10)
	require.NoError(t, err)
	defer func() { require.NoError(t, stage.close()) }()
	for who, want := range map[string]string{
		loopOurs: "SELECT ours; UPDATE ours",
		byUsual:  "BEGIN; SELECT hand_users FOR UPDATE; SELECT hand_devices; UPDATE hand_devices; COMMIT",
		byFewest: "SELECT hand_users; UPDATE hand_devices",
	} {
		p, err := stage.profile(t.Context(), who, opVerify)
		require.NoError(t, err)
		var sent []string
		for _, s := range p.statements {
			sent = append(sent, shortened(s.query))
			require.Positive(t, s.took, s.query)
		}
		require.Equal(t, want, strings.Join(sent, "; "))
		require.Positive(t, p.client)
		require.Positive(t, p.whole)
	}
}

func TestExhaustGivesEveryAccountOneTurn(t *testing.T) {
	var mu sync.Mutex
	turns := map[int]int{}
	_, _, err := exhaust(t.Context(), 4, 100, time.Minute, func(_ context.Context, account int) error {
		mu.Lock()
		defer mu.Unlock()
		turns[account]++
		return nil
	})
	require.NoError(t, err)
	require.Len(t, turns, 100)
	for account, n := range turns {
		require.Equal(t, 1, n, account)
	}
	_, _, err = exhaust(t.Context(), 4, 100, time.Minute, func(context.Context, int) error { return context.Canceled })
	require.ErrorIs(t, err, context.Canceled)
}
