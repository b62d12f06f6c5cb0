package storetest

import (
	"errors"
	"fmt"
	"math"
	"time"

	"example.com/devicetotp/credential"
)

// largestState fills a State to the last byte that it may have.
func largestState(e env) error {
	state := filled(20, 50, 50)
	encoded, err := state.MarshalBinary()
	if err != nil {
		return fmt.Errorf("storetest: %w", err)
	}
	// The length of a value is written in two bytes: several have to grow.
	const most = 60_000
	for i, missing := 0, credential.MaxStateBytes-len(encoded); missing > 0; i++ {
		d := &state.Devices[i]
		more := min(missing, most-len(d.Sealed))
		d.Sealed = someBytes(len(d.Sealed) + more)
		missing -= more
	}
	if encoded, err = state.MarshalBinary(); err != nil || len(encoded) != credential.MaxStateBytes {
		return fmt.Errorf("storetest: a State of %d bytes: %w", len(encoded), orNil(err))
	}
	return e.roundTrip(state)
}

// badNumbers saves States that do not encode because of one number.
func badNumbers(e env) error {
	s, a, err := e.loaded()
	if err != nil {
		return err
	}
	device := func(d credential.Device) credential.State { return credential.State{Devices: []credential.Device{d}} }
	for what, state := range map[string]credential.State{
		"failures below 0":               {OTP: credential.Attempts{Failures: -1}},
		"failures below 0 of a PIN":      {PIN: credential.Attempts{Failures: math.MinInt32}},
		"digits below 0":                 device(credential.Device{Digits: -1}),
		"a period below 0":               device(credential.Device{Period: -time.Second}),
		"a step below 0":                 device(credential.Device{LastStep: -1}),
		"failures below 0 of one device": device(credential.Device{Attempts: credential.Attempts{Failures: -1}}),
	} {
		if _, err := state.MarshalBinary(); !errors.Is(err, credential.ErrStateSize) {
			return fmt.Errorf("storetest: %s: %w", what, orNil(err))
		}
		bad := a
		bad.State, bad.Next = state, newVersion()
		if err := s.Save(e.ctx, bad); !errors.Is(err, credential.ErrStateSize) {
			return fmt.Errorf("Save of %s: want credential.ErrStateSize, got: %w", what, orNil(err))
		}
		if err := e.wantStored(s, a, "after a Save of "+what); err != nil {
			return err
		}
	}
	return nil
}
