package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"example.com/devicetotp/credential"
)

// check compares the responses that clients got with what is stored, and
// returns a sentence for each thing that must not be.
func check(ctx context.Context, store credential.Store, keys *credential.Keyring, results []result) ([]string, error) {
	v := verdict{keys: keys}
	byAccount := map[string][]result{}
	for _, r := range results {
		byAccount[r.account] = append(byAccount[r.account], r)
	}
	for id, codes := range byAccount {
		a, err := store.Load(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := v.account(a, codes); err != nil {
			return nil, err
		}
	}
	return v.violations, nil
}

type verdict struct {
	keys       *credential.Keyring
	violations []string
}

func (v *verdict) is(format string, args ...any) {
	v.violations = append(v.violations, fmt.Sprintf(format, args...))
}

func (v *verdict) account(a credential.Account, codes []result) error {
	accounted := 0
	for _, r := range codes {
		devices, err := v.devicesOf(a, r.code)
		if err != nil {
			return err
		}
		accounted += len(devices)
		v.code(a, r, devices)
		for _, t := range r.clients {
			if err := v.client(a, t); err != nil {
				return err
			}
		}
	}
	if n := len(a.State.Devices); n != accounted {
		v.is("%s has %d devices, and %d of them stand on a code", a.ID, n, accounted)
	}
	if n := len(a.State.Spent); n != accounted {
		v.is("%s has %d spent codes and %d devices", a.ID, n, accounted)
	}
	return nil
}

// devicesOf returns the ids of the devices that were created on the code.
func (v *verdict) devicesOf(a credential.Account, code string) (ids []string, err error) {
	for _, d := range a.State.Devices {
		scope := credential.Scope{Purpose: credential.PurposeProof, AccountID: a.ID, Subject: d.ID}
		ok, err := v.keys.Matches(scope, d.ProofDigest, credential.NewSecret(code))
		if err != nil {
			return nil, err
		}
		if ok {
			ids = append(ids, d.ID)
		}
	}
	return ids, nil
}

func (v *verdict) code(a credential.Account, r result, devices []string) {
	// The verifier names the proof after the code.
	spent := slices.ContainsFunc(a.State.Spent, func(p credential.SpentProof) bool { return strings.HasSuffix(p.ProofID, r.codeID) })
	blocked := false
	for _, t := range r.clients {
		blocked = blocked || t.blocked
	}
	switch {
	case len(devices) > 1:
		v.is("code %s of %s made %d devices", r.code, a.ID, len(devices))
	case len(devices) == 1 && !spent:
		v.is("code %s of %s made a device and is not spent", r.code, a.ID)
	case len(devices) == 0 && spent:
		v.is("code %s of %s is spent, and has no device", r.code, a.ID)
	case len(devices) == 0 && !blocked:
		v.is("code %s of %s was right, and nobody has a device", r.code, a.ID)
	}
}

func (v *verdict) client(a credential.Account, t told) error {
	i := a.State.DeviceIndex(t.device)
	switch {
	case !t.secret.Present() && i >= 0 && !t.blocked:
		v.is("device %s of %s is there, and its client was refused", t.device, a.ID)
	case t.secret.Present() && i < 0:
		v.is("device %s of %s was answered with 201, and is not there", t.device, a.ID)
	case t.secret.Present():
		device := &a.State.Devices[i]
		stored, _, err := v.keys.Open(credential.DeviceScope(a.ID, device), device.Sealed)
		if err != nil {
			return err
		}
		if !stored.Matches(t.secret) {
			v.is("device %s of %s was answered with another secret than is stored", t.device, a.ID)
		}
	}
	return nil
}
