package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"example.com/devicetotp/credential"
)

// roundTrip saves a State and wants it back, through the same handle and
// through another, and once more after it was saved as it was loaded.
func (e env) roundTrip(state credential.State) error {
	s, a, err := e.loaded()
	if err != nil {
		return err
	}
	a.State = state
	if err := e.save(s, a); err != nil {
		return err
	}
	for range 2 {
		other, err := e.open()
		if err != nil {
			return err
		}
		got, err := e.load(other, a.ID)
		if err != nil {
			return err
		}
		if err := sameState(state, got.State, "after Save"); err != nil {
			return err
		}
		if err := e.save(other, got); err != nil {
			return err
		}
	}
	return nil
}

func exactTimes(e env) error {
	for _, at := range []time.Time{
		time.Date(2026, 2, 3, 4, 5, 6, 123456789, time.UTC),
		time.Date(2026, 2, 3, 4, 5, 6, 999999999, time.FixedZone("", 5*3600+1800)),
		time.Date(2026, 2, 3, 4, 5, 6, 1000, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 1, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC),
		{}, // the zero time
	} {
		err := e.roundTrip(credential.State{
			Devices: []credential.Device{{ID: "a", CreatedAt: at, Attempts: credential.Attempts{Failures: 1, LastAt: at}}},
			Codes:   []credential.OneTimeCode{{ID: "a", ExpiresAt: at}},
			Spent:   []credential.SpentProof{{ProofID: "a", Until: at}},
			OTP:     credential.Attempts{Failures: 1, LastAt: at},
		})
		if err != nil {
			return fmt.Errorf("times of %s: %w", at.Format(time.RFC3339Nano), err)
		}
	}
	return nil
}

func exactBytes(e env) error {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	at := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC) // exact times are a rule of their own
	return e.roundTrip(credential.State{
		Devices: []credential.Device{{
			ID: "quote ' \" \\ \u00e9\u4e16\U0001F511", Sealed: all, ProofDigest: []byte{0}, Algorithm: credential.AlgorithmSHA512, Digits: 8,
			Period: 30*time.Second + 1, Basis: credential.BasisImported, CreatedAt: at, LastStep: 1<<62 + 1,
			Attempts: credential.Attempts{Failures: 2, Against: string(all[120:136])},
		}},
		Codes:    []credential.OneTimeCode{{ID: string(all), Kind: " trailing ", Digest: all[1:], ExpiresAt: at}},
		Spent:    []credential.SpentProof{{ProofID: "\x00\xff\xfe" + string(all), Until: at}},
		OTP:      credential.Attempts{Failures: 1<<31 - 1},
		Password: credential.Attempts{Failures: 3, Against: string(all[240:])},
		PIN:      credential.Attempts{Failures: 4, Against: string(all[:16])},
		Writes:   []credential.WriteID{{0, 0xff, 1, 2, 3, 4, 5, 0}, {}},
	})
}

// filled returns a State with so many members of the size they have in use.
func filled(devices, codes, spent int) credential.State {
	at := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	var s credential.State
	for i := range devices {
		s.Devices = append(s.Devices, credential.Device{
			ID: fmt.Sprintf("738e379f-fe30-45ab-819c-%012x", i), Sealed: someBytes(120), Algorithm: credential.AlgorithmSHA1,
			Digits: 6, Period: 30 * time.Second, Basis: credential.BasisOTP, ProofDigest: someBytes(32),
			CreatedAt: at, LastStep: int64(i),
		})
	}
	for i := range codes {
		s.Codes = append(s.Codes, credential.OneTimeCode{
			ID: fmt.Sprintf("%016x", i), Kind: "account", Digest: someBytes(48), ExpiresAt: at,
		})
	}
	for i := range spent {
		s.Spent = append(s.Spent, credential.SpentProof{ProofID: fmt.Sprintf("code:%016x", i), Until: at})
	}
	for i := range credential.MaxWrites {
		s.Writes = append(s.Writes, credential.WriteID{byte(i)})
	}
	return s
}

// someBytes returns n letters: bytes of every value are a rule of their own.
func someBytes(n int) []byte { return bytes.Repeat([]byte("s"), n) }

func largeState(e env) error { return e.roundTrip(filled(20, 50, 50)) }

func oversizedState(e env) error {
	s, a, err := e.loaded()
	if err != nil {
		return err
	}
	for what, state := range map[string]credential.State{
		"more devices than credential.MaxDevices":  filled(credential.MaxDevices+1, 0, 0),
		"more bytes than credential.MaxStateBytes": {Devices: []credential.Device{{ID: "d", Sealed: someBytes(credential.MaxStateBytes)}}},
	} {
		big := a
		big.State, big.Next = state, newVersion()
		if err := s.Save(e.ctx, big); !errors.Is(err, credential.ErrStateSize) {
			return fmt.Errorf("Save of %s: want credential.ErrStateSize, got: %w", what, orNil(err))
		}
		if err := e.wantStored(s, a, "after a Save of "+what); err != nil {
			return err
		}
	}
	return nil
}

// The encoding of a State as another release would write it: a format byte,
// then records of a tag, a length of two bytes and a value. Tag 1 is a device,
// tag 1 within it its id; 200 has no meaning in this release.
const (
	stateOfNewerRelease  = "\x02" + "\x01\x00\x0a" + "\x01\x00\x01a" + "\xc8\x00\x03new" + "\xc8\x00\x05newer"
	stateOfUnknownFormat = "\xfa" + "\x01\x00\x03abc"
)

func unknownMembers(e env) error {
	var state credential.State
	if err := state.UnmarshalBinary([]byte(stateOfNewerRelease)); err != nil {
		return fmt.Errorf("storetest: %w", err)
	}
	if err := e.roundTrip(state); err != nil {
		return err
	}
	if e.PlantState == nil {
		return nil
	}
	s, id, err := e.planted(stateOfNewerRelease)
	if err != nil {
		return err
	}
	if err := e.saveLoaded(s, id, func(*credential.State) {}); err != nil {
		return err
	}
	got, err := e.load(s, id)
	if err != nil {
		return err
	}
	return sameState(state, got.State, "after Load and Save of what another release wrote")
}

func unknownFormat(e env) error {
	if e.PlantState == nil {
		return fmt.Errorf("Backend.PlantState is nil: %w", errors.ErrUnsupported)
	}
	s, id, err := e.planted(stateOfUnknownFormat)
	if err != nil {
		return err
	}
	if _, err := s.Load(e.ctx, id); !errors.Is(err, credential.ErrStateFormat) {
		return fmt.Errorf("Load: want credential.ErrStateFormat, got: %w", orNil(err))
	}
	return nil
}

// planted makes an account that has been saved, and replaces its State.
func (e env) planted(state string) (credential.Store, string, error) {
	s, a, err := e.loaded()
	if err != nil {
		return nil, "", err
	}
	if err := e.saveLoaded(s, a.ID, mark(1)); err != nil {
		return nil, "", err
	}
	if err := e.PlantState(e.ctx, a.ID, []byte(state)); err != nil {
		return nil, "", fmt.Errorf("Backend.PlantState: %w", err)
	}
	return s, a.ID, nil
}

func slicesNotShared(e env) error {
	s, a, err := e.loaded()
	if err != nil {
		return err
	}
	a.State = filled(2, 2, 2)
	want := a.State.Clone()
	if err := e.save(s, a); err != nil {
		return err
	}
	scribble(&a.State)
	got, err := e.load(s, a.ID)
	if err != nil {
		return err
	}
	if err := sameState(want, got.State, "after the caller altered what it had saved"); err != nil {
		return err
	}
	scribble(&got.State)
	again, err := e.load(s, a.ID)
	if err != nil {
		return err
	}
	return sameState(want, again.State, "after the caller altered what it had loaded")
}

// scribble writes over everything that can be reached through a slice.
func scribble(s *credential.State) {
	for i := range s.Devices {
		s.Devices[i].Sealed[0] ^= 0xff
		s.Devices[i].ProofDigest[0] ^= 0xff
		s.Devices[i].ID = "scribbled"
	}
	for i := range s.Codes {
		s.Codes[i].Digest[0] ^= 0xff
		s.Codes[i].ID = "scribbled"
	}
	for i := range s.Spent {
		s.Spent[i].ProofID = "scribbled"
	}
	for i := range s.Writes {
		s.Writes[i][0] ^= 0xff
	}
}
