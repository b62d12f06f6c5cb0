package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// A renamed account is locked or not as it was before it was renamed, whatever it was
// when it was backed up.
func TestReplay_OfALockThatWasRenamed(t *testing.T) {
	d := onSQLite(t)
	renamed := map[string]string{"lock": "u-7", "unlock": "u-8"}
	for command := range renamed {
		d.account(command)
		require.NoError(t, d.store.SetLocked(t.Context(), command, command == "unlock"))
	}
	backup, backedUp := d.all(), time.Now().UTC().Format(time.RFC3339Nano)
	for command, to := range renamed {
		d.run(0, command, command)
		d.run(0, "rename-account", command, to)
	}
	restored := d.restore(backup)
	for range 2 {
		d.run(0, "replay", "-since", backedUp, "-restored", restored, d.log)
		require.True(t, d.inspected("u-7").Locked)
		require.False(t, d.inspected("u-8").Locked)
	}
}

// A recovery code that was used after a lock of the time of the backup was lifted is
// taken away in the first run.
func TestReplay_OfAnAccountThatWasLockedWhenItWasBackedUp(t *testing.T) {
	d := onSQLite(t)
	d.account("alice")
	codes, err := d.issuer().ReplaceRecoveryCodes(t.Context(), devicetotp.RecoveryRequest{AccountID: "alice"})
	require.NoError(t, err)
	require.NotEmpty(t, codes)
	lost, err := d.store.Load(t.Context(), "alice")
	require.NoError(t, err)
	require.NoError(t, d.store.SetLocked(t.Context(), "alice", true))
	at := time.Now()
	d.logs(devicetotp.Event{Op: opUnlock, At: at, AccountID: "alice"}, devicetotp.Event{
		Op: devicetotp.OpProve, At: at, AccountID: "alice",
		Factors: []devicetotp.FactorResult{{Factor: credential.FactorOTP, Result: devicetotp.ResultValid, Kind: verifier.KindRecovery}},
	})
	out := d.run(0, "replay", "-since", at.Format(time.RFC3339Nano), "-restored", time.Now().Format(time.RFC3339Nano), d.log)
	require.Contains(t, out, `needs new recovery codes: "alice"`)
	after, err := d.store.Load(t.Context(), "alice")
	require.NoError(t, err)
	require.False(t, after.Locked)
	require.NotEqual(t, lost.State.Recovery, after.State.Recovery)
}

// What was locked or unlocked after the backup was put back stays so in a second run.
func TestReplay_LeavesLocksOfAfterwards(t *testing.T) {
	d := onSQLite(t)
	d.account("alice")
	d.account("bob")
	at := time.Now()
	d.logs(devicetotp.Event{Op: opLock, At: at, AccountID: "alice"}, devicetotp.Event{Op: opUnlock, At: at, AccountID: "bob"})
	restored := time.Now().Format(time.RFC3339Nano)
	replay := func() {
		d.run(0, "replay", "-since", at.Add(-time.Minute).Format(time.RFC3339), "-restored", restored, d.log)
	}
	replay()
	require.True(t, d.inspected("alice").Locked)
	d.run(0, "unlock", "alice")
	d.run(0, "lock", "bob")
	replay()
	require.False(t, d.inspected("alice").Locked)
	require.True(t, d.inspected("bob").Locked)
}
