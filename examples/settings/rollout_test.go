package settings

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

func TestKeyRollOut(t *testing.T) {
	f := newFleet(t)
	step1 := f.start("old")
	for i := range 101 { // more than a page
		f.register(step1, userID(i))
	}
	f.wantNeeded(step1, "old")

	// While a step reaches the processes, those of two steps run side by side, and
	// each opens what the other seals.
	step2 := f.start("*old", "new")
	f.newDevice(step2, userID(0))
	f.useAll(step1)
	step3 := f.start("old", "*new")
	f.newDevice(step3, userID(1))
	f.useAll(step2)
	f.wantNeeded(step3, "old")
	require.NotEmpty(t, f.unreadable(f.start("new"), userID(0)), "it would be too early to take the old key away")

	// Everything is sealed again but one-time codes, which are over soon.
	f.reseal(step3)
	f.useAll(step2) // a process that is late undoes nothing
	f.wantNeeded(step3, "old")
	f.clock.Advance(devicetotp.MaxCodeTTL)
	f.reseal(step3)
	f.wantNeeded(step3)

	// The old key can go.
	step4 := f.start("new")
	f.wantNeeded(step4)
	f.useAll(step4)
	for i := range 101 {
		require.Empty(t, f.unreadable(step4, userID(i)))
	}
	f.reseal(step4) // changes nothing
}

// A PIN that the user changes while its hash is sealed again is not undone.
func TestKeyRollOutKeepsAPINThatIsSetMeanwhile(t *testing.T) {
	f := newFleet(t)
	f.register(f.start("old"), "alice")
	step3 := f.start("old", "*new")
	busy := &busyAccounts{Accounts: f.store, change: func() { f.setPIN(step3, "alice", "1357") }}
	require.NoError(t, ResealAll(t.Context(), step3.keys, step3.issuer, busy))
	_, err := step3.issuer.Prove(t.Context(), devicetotp.ProveRequest{AccountID: "alice", PIN: credential.NewSecret("1357")})
	require.NoError(t, err)
}

func TestKeyRollOutSaysWhoCannotBeSealedAgain(t *testing.T) {
	f := newFleet(t)
	f.register(f.start("old"), "alice")
	f.register(f.start("new"), "bob")
	step4 := f.start("new") // too early
	err := ResealAll(t.Context(), step4.keys, step4.issuer, f.store)
	require.ErrorContains(t, err, `account "alice"`)
	require.ErrorIs(t, err, credential.ErrMissingKey)
	require.NotContains(t, err.Error(), "bob")
	f.wantNeeded(step4, "old")
}

// An account that cannot be looked at is not one that needs no key.
func TestKeyRollOutDoesNotGuess(t *testing.T) {
	f := newFleet(t)
	p := f.start("new")
	f.register(p, "alice")
	accounts := &listing{Accounts: f.store, ids: []string{"alice", "deleted since"}}
	need, err := NeedOldKeys(t.Context(), "new", p.issuer, accounts)
	require.NoError(t, err)
	require.Empty(t, need)

	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, err = NeedOldKeys(ctx, "new", p.issuer, accounts)
	require.ErrorIs(t, err, context.Canceled)
}
