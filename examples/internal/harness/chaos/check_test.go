package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

const (
	winner = "00000000-0000-4000-8000-000000000001"
	loser  = "00000000-0000-4000-8000-000000000002"
)

// settled is one account on which one code has made one device, and what its
// two clients were told.
func settled(t *testing.T) (*memstore.Store, *credential.Keyring, result) {
	t.Helper()
	keys, err := credential.NewKeyring("k", credential.NewKey("k"))
	require.NoError(t, err)
	store := memstore.New()
	require.NoError(t, store.Put(t.Context(), credential.Account{ID: "a"}))
	issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{})
	require.NoError(t, err)
	r := result{account: "a", code: "526271"}
	code := credential.NewSecret(r.code)
	_, err = issuer.AddCode(t.Context(), devicetotp.AddCodeRequest{
		AccountID: "a", Kind: verifier.KindAccount, Code: code, TTL: devicetotp.MaxCodeTTL,
	})
	require.NoError(t, err)
	a, err := store.Load(t.Context(), "a")
	require.NoError(t, err)
	r.codeID = a.State.Codes[0].ID
	d, err := issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "a", DeviceID: winner, OTP: code})
	require.NoError(t, err)
	r.clients = [contenders]told{{device: winner, secret: d.Secret}, {device: loser}}
	return store, keys, r
}

// Each thing that must not be is found, and what is right is not.
func TestCheckFindsWhatMustNotBe(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, keys *credential.Keyring, s *credential.State, r *result)
		want  []string
	}{
		"all is well": {
			spoil: func(*testing.T, *credential.Keyring, *credential.State, *result) {},
		},
		"a device that was answered is gone": {
			spoil: func(_ *testing.T, _ *credential.Keyring, s *credential.State, _ *result) { s.Devices = nil },
			want: []string{
				"code 526271 of a is spent, and has no device",
				"device " + winner + " of a was answered with 201, and is not there",
				"a has 1 spent codes and 0 devices",
			},
		},
		"the whole save is gone": {
			spoil: func(_ *testing.T, _ *credential.Keyring, s *credential.State, _ *result) {
				s.Devices, s.Spent = nil, nil
			},
			want: []string{
				"code 526271 of a was right, and nobody has a device",
				"device " + winner + " of a was answered with 201, and is not there",
			},
		},
		"a code that made a device can be used again": {
			spoil: func(_ *testing.T, _ *credential.Keyring, s *credential.State, _ *result) { s.Spent = nil },
			want: []string{
				"code 526271 of a made a device and is not spent",
				"a has 0 spent codes and 1 devices",
			},
		},
		"one code made two devices": {
			spoil: func(t *testing.T, keys *credential.Keyring, s *credential.State, r *result) {
				d := s.Devices[0]
				d.ID = loser
				var err error
				d.ProofDigest, err = keys.Digest(credential.Scope{Purpose: credential.PurposeProof, AccountID: "a", Subject: loser},
					credential.NewSecret(r.code))
				require.NoError(t, err)
				s.Devices = append(s.Devices, d)
			},
			want: []string{
				"code 526271 of a made 2 devices",
				"device " + loser + " of a is there, and its client was refused",
				"a has 1 spent codes and 2 devices",
			},
		},
		"a device stands on no code": {
			spoil: func(_ *testing.T, _ *credential.Keyring, _ *credential.State, r *result) { r.code = "000000" },
			want: []string{
				"code 000000 of a is spent, and has no device",
				"a has 1 devices, and 0 of them stand on a code",
				"a has 1 spent codes and 0 devices",
			},
		},
		"another secret was answered": {
			spoil: func(_ *testing.T, _ *credential.Keyring, _ *credential.State, r *result) {
				r.clients[0].secret = credential.NewSecret("another")
			},
			want: []string{"device " + winner + " of a was answered with another secret than is stored"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			store, keys, r := settled(t)
			a, err := store.Load(t.Context(), "a")
			require.NoError(t, err)
			c.spoil(t, keys, &a.State, &r)
			a.Next = a.Version - 1
			require.NoError(t, store.Save(t.Context(), a))
			got, err := check(t.Context(), store, keys, []result{r})
			require.NoError(t, err)
			require.ElementsMatch(t, c.want, got)
		})
	}
}
