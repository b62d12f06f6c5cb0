package credential_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

const (
	firstDevice  = "00000000-0000-4000-8000-000000000001"
	secondDevice = "00000000-0000-4000-8000-000000000002"
)

var movedAt = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

// fullState returns a State of account alice with a value of every kind, sealed
// with the primary of keys.
func fullState(t *testing.T, keys *credential.Keyring) credential.State {
	t.Helper()
	proof := credential.Scope{Purpose: credential.PurposeProof, AccountID: "alice", Subject: firstDevice}
	first := credential.Device{
		ID: firstDevice, Algorithm: credential.AlgorithmSHA256, Digits: 8, Period: time.Minute, Basis: credential.BasisOTP,
		CreatedAt: movedAt, LastStep: 7, Name: "phone", MadeBy: secondDevice, RestsOnGrace: true,
		ProofDigest: digest(t, keys, proof, "123456"), Attempts: credential.Attempts{Failures: 3, LastAt: movedAt},
		Replaced: []credential.ReplacedProof{{CreatedAt: movedAt, Digest: digest(t, keys, proof, "654321")}},
		Rotation: &credential.Rotation{
			Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second, Basis: credential.BasisOTP,
			StartedAt: movedAt, Until: movedAt.Add(time.Hour), ProofDigest: digest(t, keys, proof, "111111"),
		},
	}
	first.Sealed = seal(t, keys, credential.DeviceScope("alice", &first), "first")
	first.Rotation.Sealed = seal(t, keys, credential.RotationScope("alice", &first, first.Rotation), "rotated")
	second := credential.Device{ID: secondDevice, Basis: credential.BasisImported, CreatedAt: movedAt}
	second.Sealed = seal(t, keys, credential.DeviceScope("alice", &second), "second")
	return credential.State{
		Devices: []credential.Device{first, second},
		Codes: []credential.OneTimeCode{{
			ID: "00c0ffee00c0ffee", Kind: "account", ExpiresAt: movedAt,
			Digest: digest(t, keys, credential.Scope{Purpose: credential.PurposeOneTimeCode, AccountID: "alice", Subject: "00c0ffee00c0ffee"}, "12345678"),
		}},
		Spent: []credential.SpentProof{{ProofID: "proof", Until: movedAt}},
		PIN:   credential.Attempts{Failures: 2, LastAt: movedAt, Against: credential.Fingerprint("$2a$05$x")},
		Kinds: []credential.KindAttempts{{Kind: "account", Attempts: credential.Attempts{Failures: 4, LastAt: movedAt}}},
		Revoked: []credential.RevokedDevice{
			{ID: "00000000-0000-4000-8000-000000000003", At: movedAt},
			{ID: "00000000-0000-4000-8000-000000000004", At: movedAt, Sealed: seal(t, keys, credential.RevokedScope("alice", "00000000-0000-4000-8000-000000000004"), "sum")},
		},
		Recovery:    credential.RecoveryCodes{Left: 2, CreatedAt: movedAt, Sealed: seal(t, keys, credential.RecoveryScope("alice"), "codes")},
		GraceIssued: 1, Writes: []credential.WriteID{{1}},
	}
}

// contents opens everything in s that is sealed for that account.
func contents(t *testing.T, keys *credential.Keyring, s credential.State, account string) (out []string, refused int) {
	t.Helper()
	open := func(scope credential.Scope, sealed []byte) {
		id, _ := credential.KeyID(sealed)
		plain, _, err := keys.Open(scope, sealed)
		if err != nil {
			refused++
			return
		}
		out = append(out, id+" "+plain.Reveal())
	}
	for _, d := range s.Devices {
		open(credential.DeviceScope(account, &d), d.Sealed)
		if d.Rotation != nil {
			open(credential.RotationScope(account, &d, d.Rotation), d.Rotation.Sealed)
		}
	}
	open(credential.RevokedScope(account, s.Revoked[1].ID), s.Revoked[1].Sealed)
	open(credential.RecoveryScope(account), s.Recovery.Sealed)
	return out, refused
}

// Everything opens for the new id and nothing for the old one; what is not bound
// to the id is the same; digests are gone.
func TestRebind(t *testing.T) {
	both := ring(t, "k2", "k1", "k2")
	s := fullState(t, ring(t, "k1", "k1", "k2"))
	before, err := s.MarshalBinary()
	require.NoError(t, err)

	moved, err := credential.Rebind(both, s, "alice", "u-7")
	require.NoError(t, err)
	after, err := s.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, before, after, "the State that was given is left as it is")

	opened, refused := contents(t, both, moved, "u-7")
	require.Equal(t, []string{"k2 first", "k2 rotated", "k2 second", "k2 sum", "k2 codes"}, opened)
	require.Zero(t, refused)
	_, refused = contents(t, both, moved, "alice")
	require.Equal(t, 5, refused)

	want := s.Clone() // the same but for what is sealed and what is digested
	want.Codes, want.Writes = nil, nil
	want.Devices[0].ProofDigest, want.Devices[0].Replaced, want.Devices[0].Rotation.ProofDigest = nil, nil, nil
	for i := range want.Devices {
		want.Devices[i].Sealed = moved.Devices[i].Sealed
	}
	want.Devices[0].Rotation.Sealed = moved.Devices[0].Rotation.Sealed
	want.Revoked[1].Sealed, want.Recovery.Sealed = moved.Revoked[1].Sealed, moved.Recovery.Sealed
	require.Equal(t, want, moved)
	require.NoError(t, moved.Check())

	empty, err := credential.Rebind(both, credential.State{}, "alice", "u-7")
	require.NoError(t, err)
	require.Equal(t, credential.State{}, empty)
}

// What does not open is refused, each by its id, and nothing is returned.
func TestRebind_RefusesWhatDoesNotOpen(t *testing.T) {
	k1 := ring(t, "k1", "k1")
	for name, tc := range map[string]struct {
		keys  *credential.Keyring
		alter func(s *credential.State)
		want  []string
	}{
		"a device that is altered":   {k1, func(s *credential.State) { s.Devices[1].Digits = 9 }, []string{"device " + secondDevice + ": credential: sealed value was altered or belongs elsewhere"}},
		"a device without a seal":    {k1, func(s *credential.State) { s.Devices[1].Sealed = nil }, []string{"device " + secondDevice + ": credential: sealed value was altered or belongs elsewhere"}},
		"a rotation that is altered": {k1, func(s *credential.State) { s.Devices[0].Rotation.Sealed[40] ^= 1 }, []string{"rotation of device " + firstDevice + ": credential: sealed value was altered or belongs elsewhere"}},
		"the key is gone": {ring(t, "k2", "k2"), func(*credential.State) {}, []string{
			"device " + firstDevice + `: credential: key not in the keyring: "k1"`, "rotation of device " + firstDevice, "device " + secondDevice,
			"revoked device 00000000-0000-4000-8000-000000000004", "recovery codes",
		}},
		"another key of that id": {impostor(t, "k1"), func(*credential.State) {}, []string{"device " + firstDevice, "a different key of that id"}},
		"a key that is newer than the primary": {ring(t, "k0", "k0", "k1"), func(*credential.State) {}, []string{
			"device " + firstDevice + `: sealed with "k1", which is newer than the primary "k0"`, "recovery codes",
		}},
		"no keyring": {nil, func(*credential.State) {}, []string{"the keyring is empty"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := fullState(t, k1)
			tc.alter(&s)
			moved, err := credential.Rebind(tc.keys, s, "alice", "u-7")
			require.Equal(t, credential.State{}, moved)
			for _, text := range tc.want {
				require.ErrorContains(t, err, text)
			}
		})
	}
	s := fullState(t, k1)
	_, err := credential.Rebind(k1, s, "bob", "u-7")
	require.ErrorIs(t, err, credential.ErrTampered, "not the account that it belongs to")
	for _, ids := range [][2]string{{"", "u-7"}, {"alice", ""}, {"alice", "alice"}} {
		_, err := credential.Rebind(k1, s, ids[0], ids[1])
		require.EqualError(t, err, "credential: rebind: the two account ids must differ and not be empty")
	}
}
