package credential_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// Every field of a Device is either bound into its sealed secret, or named here
// with the reason why it is not.
func TestFieldsOfADeviceAreBound(t *testing.T) {
	k := ring(t, "k", "k")
	unbound := map[string]string{
		"Sealed":        "it is what is sealed",
		"ProofDigest":   "a digest matches for its own account and device only",
		"LastStep":      "it changes with every use; the retry window starts at CreatedAt, which is bound",
		"Attempts":      "they change with every failure",
		"Named":         "they change with every failure",
		"MadeBy":        "it only says what else a host may want to revoke",
		"Name":          "it is the user's word",
		"Rotation":      "it has a seal of its own",
		"Replaced":      "a digest matches for its own account and device only",
		"PastRotations": "they are refused, and give nothing",
		"unknown":       "of a newer release",
	}
	others := map[string]any{
		"ID": "00000000-0000-4000-8000-000000000002", "Sealed": []byte("x"), "Algorithm": credential.AlgorithmSHA256, "Digits": 8,
		"Period": 60 * time.Second, "Basis": credential.BasisGrace, "RestsOnGrace": true, "ProofDigest": []byte("x"),
		"CreatedAt": device.CreatedAt.Add(1), "LastStep": int64(1), "Attempts": credential.Attempts{Failures: 1}, "Named": credential.Attempts{Failures: 1},
		"MadeBy": "x", "Replaced": []credential.ReplacedProof{{}}, "Name": "x", "Rotation": &credential.Rotation{},
		"PastRotations": []credential.PastRotation{{}},
	}
	sealed := seal(t, k, deviceScope, "12345678901234567890")
	for _, field := range reflect.VisibleFields(reflect.TypeFor[credential.Device]()) {
		if !field.IsExported() {
			require.Contains(t, unbound, field.Name)
			continue
		}
		other := device
		require.Contains(t, others, field.Name, "a new field: bind it, or say why not")
		reflect.ValueOf(&other).Elem().FieldByIndex(field.Index).Set(reflect.ValueOf(others[field.Name]))
		_, _, err := k.Open(credential.DeviceScope("alice", &other), sealed)
		if unbound[field.Name] != "" {
			require.NoError(t, err, field.Name)
		} else {
			require.ErrorIs(t, err, credential.ErrTampered, field.Name)
		}
	}
}

// A device that was created long ago, or was proved, cannot be made to look like
// one that was just created on grace.
func TestADeviceCannotBeMadeYoungOrOnGrace(t *testing.T) {
	k := ring(t, "k", "k")
	sealed := seal(t, k, deviceScope, "12345678901234567890")
	for name, alter := range map[string]func(*credential.Device){
		"on grace":              func(d *credential.Device) { d.Basis = credential.BasisGrace },
		"created a year later":  func(d *credential.Device) { d.CreatedAt = d.CreatedAt.AddDate(1, 0, 0) },
		"created 1 ns later":    func(d *credential.Device) { d.CreatedAt = d.CreatedAt.Add(1) },
		"created 1 s earlier":   func(d *credential.Device) { d.CreatedAt = d.CreatedAt.Add(-time.Second) },
		"no time of creation":   func(d *credential.Device) { d.CreatedAt = time.Time{} },
		"resting on grace":      func(d *credential.Device) { d.RestsOnGrace = true },
		"longer period":         func(d *credential.Device) { d.Period = 120 * time.Second },
		"no field at all":       func(d *credential.Device) { *d = credential.Device{ID: d.ID} },
		"basis beyond a byte":   func(d *credential.Device) { d.Basis += 128 },
		"digits beyond a byte":  func(d *credential.Device) { d.Digits += 256 },
		"another id, same rest": func(d *credential.Device) { d.ID = "738e379f-fe30-45ab-819c-ba88804b6369" },
	} {
		other := device
		alter(&other)
		_, _, err := k.Open(credential.DeviceScope("alice", &other), sealed)
		require.ErrorIs(t, err, credential.ErrTampered, name)
	}
	elsewhere := device
	elsewhere.CreatedAt = device.CreatedAt.In(time.FixedZone("CET", 3600))
	_, _, err := k.Open(credential.DeviceScope("alice", &elsewhere), sealed)
	require.NoError(t, err, "the instant is bound, not how it is written")
	opened := roundTripped(t, device)
	_, _, err = k.Open(credential.DeviceScope("alice", &opened), sealed)
	require.NoError(t, err, "a device that was stored has the same scope")
}

func roundTripped(t *testing.T, d credential.Device) credential.Device {
	t.Helper()
	b, err := credential.State{Devices: []credential.Device{d}}.MarshalBinary()
	require.NoError(t, err)
	var s credential.State
	require.NoError(t, s.UnmarshalBinary(b))
	return s.Devices[0]
}

// A scope that binds nothing of the device is refused, not sealed for.
func TestScopeOfADeviceIsNotWrittenByHand(t *testing.T) {
	k := ring(t, "k", "k")
	byHand := credential.Scope{Purpose: credential.PurposeDeviceSecret, AccountID: "alice", Subject: device.ID}
	_, err := k.Seal(byHand, secret("12345678901234567890"))
	require.EqualError(t, err, "credential: the scope of a device secret must be made by DeviceScope")
	_, _, err = k.Open(byHand, seal(t, k, deviceScope, "plain"))
	require.ErrorIs(t, err, credential.ErrTampered)
}
