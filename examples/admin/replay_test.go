package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// What was done since a backup is repeated from the one log of the service and the
// command, to which the replay logs too. A second replay changes nothing.
func TestReplay(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		backedUp := time.Now().Add(-time.Second).UTC().Format(time.RFC3339)
		lost, _ := d.account("alice")
		for _, id := range []string{"bob", "carol", "dave"} {
			d.account(id)
		}
		_, err := d.issuer().ReplaceRecoveryCodes(t.Context(), devicetotp.RecoveryRequest{AccountID: "bob"})
		require.NoError(t, err)
		backup := d.all()

		d.run(0, "revoke", "-device", lost.ID, "alice")
		d.run(0, "lock", "bob")
		d.run(0, "delete", "carol")
		d.run(0, "lock", "dave")
		d.run(0, "unlock", "dave")
		d.run(0, "rename-account", "dave", "u-7")
		for _, a := range d.all() {
			_, err := d.store.Delete(t.Context(), a.ID)
			require.NoError(t, err)
		}
		for _, a := range backup {
			_, err := d.store.Insert(t.Context(), a)
			require.NoError(t, err)
		}
		restored := time.Now().UTC().Format(time.RFC3339Nano)
		var codes credential.RecoveryCodes
		for round := range 2 {
			out := d.run(0, "replay", "-since", backedUp, "-restored", restored, d.log)
			require.Contains(t, out, `needs new recovery codes: "bob"`)
			require.Contains(t, out, `to be set up again: "alice"`)
			require.Len(t, d.inspected("alice").Devices, 1)
			require.True(t, d.inspected("bob").Locked)
			require.False(t, d.inspected("u-7").Locked)
			var ids []string
			for _, a := range d.all() {
				ids = append(ids, a.ID)
			}
			require.Equal(t, []string{"alice", "bob", "u-7"}, ids)
			bob, err := d.store.Load(t.Context(), "bob")
			require.NoError(t, err)
			if round == 0 {
				codes = bob.State.Recovery
			}
			require.Equal(t, codes, bob.State.Recovery)
		}
	})
}

// A wrong time repeats nothing, and the command says so.
func TestReplay_SaysWhichEventsItLeftOut(t *testing.T) {
	d := onSQLite(t)
	d.account("alice")
	d.run(0, "lock", "alice")
	d.run(0, "unlock", "alice")
	out := d.run(0, "replay", "-since", "2020-05-01T12:00:00Z", "-restored", "2020-05-02T12:00:00Z", d.log)
	require.Regexp(t, `^0 Events of between the two times; left out: 0 of before and 4 of after, the first of 20`, out)
}

// A replay goes on past lines that it cannot do, and names them.
func TestReplay_NamesWhatItCannotDo(t *testing.T) {
	d := onSQLite(t)
	first, _ := d.account("alice")
	at := time.Now().UTC().Format(time.RFC3339)
	line := func(event string) string { return `{"event":{"at":"` + at + `","account":"alice",` + event + `}}` }
	require.NoError(t, os.WriteFile(d.log, []byte(strings.Join([]string{
		"not JSON", line(`"op":"revoke","code":"unavailable"`), line(`"op":"delete","code":"unavailable"`), `{"msg":"serving"}`,
		line(`"op":"revoke","revoked":["` + first.ID + `"]`), `{"event":{"op":"delete","at":"2020-01-01T00:00:00Z","account":"alice"}}`,
	}, "\n")+"\n"), 0o600))
	after := time.Now().UTC().Format(time.RFC3339Nano)
	out := d.run(3, "replay", "-since", at, "-restored", after, d.log)
	for _, named := range []string{"line 1: ", "line 2: ", "line 3: ", "3 lines"} {
		require.Contains(t, out, named)
	}
	require.NotContains(t, out, "line 4: ")
	require.Contains(t, out, "3 Events of between the two times; left out: 1 of before")
	require.Len(t, d.inspected("alice").Devices, 1, "lines after those are repeated, and those of before the backup are not")
}
