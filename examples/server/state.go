package main

import (
	"crypto/rand"
	"encoding/hex"
	"time"

	"example.com/devicetotp/credential"
)

// state is what the library is to remember about a new account of the file:
// devices that were issued elsewhere, and codes that were sent to the user. It
// shows how a service brings its devices over from another system; for codes,
// one that is running calls Issuer.AddCode.
func (l *loader) state(a fileAccount, now time.Time) (credential.State, error) {
	var s credential.State
	for _, d := range a.devices {
		device := credential.Device{
			ID:        d.id,
			Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
			Basis: credential.BasisImported, CreatedAt: now.UTC(),
		}
		var err error
		if device.Sealed, err = l.keys.Seal(credential.DeviceScope(a.id, &device), d.secret); err != nil {
			return credential.State{}, err
		}
		s.Devices = append(s.Devices, device)
	}
	for _, c := range a.otps {
		var id [8]byte
		_, _ = rand.Read(id[:]) // never fails: crypto/rand ends the process instead
		code := credential.OneTimeCode{ID: hex.EncodeToString(id[:]), Kind: c.kind, ExpiresAt: now.Add(c.expiresIn).UTC()}
		digest, err := l.keys.Digest(credential.Scope{
			Purpose: credential.PurposeOneTimeCode, AccountID: a.id, Subject: code.ID,
		}, c.code)
		if err != nil {
			return credential.State{}, err
		}
		code.Digest = digest
		s.Codes = append(s.Codes, code)
	}
	return s, nil
}
