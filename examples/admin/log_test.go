package main

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What is done and not logged is an error: a replay would not know of it.
func TestALogThatCannotBeWritten(t *testing.T) {
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	d := onSQLite(t)
	first, _ := d.account("alice")
	require.Contains(t, d.run(1, "-log", full, "lock", "alice"), "write the log")
	require.True(t, d.inspected("alice").Locked)

	now := time.Now().Format(time.RFC3339Nano)
	require.NoError(t, os.WriteFile(d.log, []byte("not JSON\n"+`{"event":{"op":"revoke","at":"`+now+`","account":"alice","revoked":["`+first.ID+`"]}}`+"\n"), 0o600))
	out := d.run(1, "-log", full, "replay", "-since", now, "-restored", time.Now().Format(time.RFC3339Nano), d.log)
	require.Contains(t, out, "write the log")
	require.Contains(t, out, "1 lines, which are named", "and it is no refusal all the same")
}

// An error of the database does not say whether the command took effect, and neither
// does the log: a replay must not repeat it, and names it.
func TestWhatNobodyKnowsIsLoggedAsUnavailable(t *testing.T) {
	d := onSQLite(t)
	d.account("alice")
	log, err := openLog(d.log, nil)
	require.NoError(t, err)
	at := time.Now().Format(time.RFC3339Nano)
	log.done(t.Context(), opDelete, "alice", "", errors.New("the connection was closed"))
	require.NoError(t, log.Close())
	require.Contains(t, d.logged(), "delete alice unavailable")
	out := d.run(3, "replay", "-since", at, "-restored", time.Now().Format(time.RFC3339Nano), d.log)
	require.Contains(t, out, "nobody knows whether this delete took effect")
	require.False(t, d.inspected("alice").Locked, "it is there")
}

// Somebody who looks for accounts that do not exist is in the log too.
func TestWhatIsRefusedIsLogged(t *testing.T) {
	d := onSQLite(t)
	for _, command := range [][]string{{"inspect"}, {"unblock"}, {"revoke", "-all"}, {"lock"}, {"unlock"}, {"delete"}} {
		require.NoError(t, os.WriteFile(d.log, nil, 0o600))
		d.run(3, append(command, "nobody")...)
		require.Len(t, d.logged(), 1, command)
		require.Contains(t, d.logged()[0], "nobody invalid-argument")
	}
}
