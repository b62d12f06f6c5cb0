package credential

import (
	"fmt"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// everything is a State in which every field is set, at every level.
func everything() State {
	at := time.Date(2026, 5, 4, 12, 0, 0, 123456789, time.UTC)
	attempts := func(n int) Attempts {
		return Attempts{Failures: n, LastAt: at.Add(time.Duration(n)), Against: Fingerprint("hash"), unknown: "\xc8\x00\x01a"}
	}
	return State{
		Devices: []Device{
			{
				ID: "738e379f-fe30-45ab-819c-ba88804b6368", Name: "Work phone", Sealed: []byte{1, 2, 3}, Algorithm: AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
				Basis: BasisOTP, ProofDigest: []byte{4, 5}, CreatedAt: at, LastStep: 59263200, RestsOnGrace: true, Attempts: attempts(1),
				MadeBy: "00000000-0000-4000-8000-000000000002", Named: attempts(5),
				Rotation: &Rotation{
					Sealed: []byte{10}, Algorithm: AlgorithmSHA256, Digits: 8, Period: time.Minute, Basis: BasisPIN, RestsOnGrace: true,
					ProofDigest: []byte{11}, StartedAt: at, Until: at, LastStep: 7, ID: "00000000-0000-4000-8000-0000000000aa", unknown: []byte("\xcf\x00\x01j"),
				},
				PastRotations: []PastRotation{{ID: "00000000-0000-4000-8000-0000000000bb", StartedAt: at, unknown: []byte("\xd2\x00\x01m")}},
				Replaced:      []ReplacedProof{{Digest: []byte{9}, CreatedAt: at, unknown: []byte("\xcd\x00\x01h")}}, unknown: []byte("\xc9\x00\x02bc"),
			},
			{ID: "00000000-0000-4000-8000-000000000002", Sealed: []byte{6}, Algorithm: AlgorithmSHA512, Digits: 8, Period: time.Minute, Basis: BasisGrace},
		},
		Codes: []OneTimeCode{{ID: "00c0ffee00c0ffee", Kind: "account", Digest: []byte{7, 8}, ExpiresAt: at, Withdrawn: true, unknown: []byte("\xca\x00\x00")}},
		Spent: []SpentProof{{ProofID: "code:00c0ffee00c0ffee", Until: at, unknown: []byte("\xcb\x00\x01d")}},
		OTP:   attempts(2), Password: attempts(3), PIN: attempts(4),
		Kinds: []KindAttempts{{Kind: "account", Attempts: attempts(6), unknown: []byte("\xce\x00\x01i")}}, GraceIssued: 3,
		Revoked:  []RevokedDevice{{ID: "r", At: at, Imported: true, Sealed: []byte{12}, unknown: []byte("\xd0\x00\x01k")}},
		Recovery: RecoveryCodes{Sealed: []byte{13}, Left: 9, CreatedAt: at, Attempts: attempts(7), unknown: []byte("\xd1\x00\x01l")},
		Writes:   []WriteID{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, {}},
		unknown:  []byte("\xcc\x00\x03efg"),
	}
}

// setEverywhere tells whether no field below v is zero. A field that is added
// and not put into everything makes it false.
func setEverywhere(v reflect.Value) bool {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		return !v.IsZero()
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if !setEverywhere(v.Field(i)) {
				return false
			}
		}
		return true
	case v.Kind() == reflect.Slice:
		return v.Len() > 0 && setEverywhere(v.Index(0))
	case v.Kind() == reflect.Pointer:
		return !v.IsNil() && setEverywhere(v.Elem())
	default:
		return !v.IsZero()
	}
}

func TestEverythingIsSet(t *testing.T) {
	require.True(t, setEverywhere(reflect.ValueOf(everything())))
}

// shared returns the path of the first thing that a and b have in common and
// that can be altered.
func shared(path string, a, b reflect.Value) string {
	switch a.Kind() {
	case reflect.Slice:
		if a.Cap() > 0 && a.Pointer() == b.Pointer() {
			return path
		}
		for i := range a.Len() {
			if found := shared(path+"[]", a.Index(i), b.Index(i)); found != "" {
				return found
			}
		}
	case reflect.Struct:
		if a.Type() == reflect.TypeFor[time.Time]() {
			return "" // a value, for all its pointer to a zone
		}
		for i := range a.NumField() {
			if found := shared(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i)); found != "" {
				return found
			}
		}
	case reflect.Pointer:
		switch {
		case a.IsNil():
		case a.Pointer() == b.Pointer():
			return path
		default:
			return shared(path, a.Elem(), b.Elem())
		}
	case reflect.Map, reflect.Interface, reflect.Chan, reflect.Func:
		return path + " is of a kind that Clone must learn"
	}
	return ""
}

func TestCloneSharesNothing(t *testing.T) {
	original := everything()
	clone := original.Clone()
	require.Equal(t, original, clone)
	require.Empty(t, shared("State", reflect.ValueOf(original), reflect.ValueOf(clone)))
	require.Equal(t, "State.Devices", shared("State", reflect.ValueOf(original), reflect.ValueOf(original)), "the search finds what is shared")
	before, err := original.MarshalBinary()
	require.NoError(t, err)
	for i := range clone.Devices {
		clone.Devices[i] = Device{}
	}
	clone.Codes[0].Digest[0] ^= 1
	clone.Spent[0].Until = time.Time{}
	clone.Writes[0][0] ^= 1
	clone.PIN = clone.PIN.Cleared()
	after, err := original.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.Equal(t, State{}, State{}.Clone())
}

func TestStateLookups(t *testing.T) {
	s := everything()
	require.Equal(t, 1, s.DeviceIndex("00000000-0000-4000-8000-000000000002"))
	require.Equal(t, 0, s.DeviceIndex("738e379f-fe30-45ab-819c-ba88804b6368"))
	require.Equal(t, -1, s.DeviceIndex("738E379F-FE30-45AB-819C-BA88804B6368"))
	require.Equal(t, -1, s.DeviceIndex(""))
	require.True(t, s.IsSpent("code:00c0ffee00c0ffee"))
	require.False(t, s.IsSpent(""))
	require.False(t, s.IsSpent("code:00c0ffee00c0fff0"))
	require.True(t, s.IsSpent((&OneTimeCode{ID: "00c0ffee00c0ffee"}).ProofID()), "a name that is stored for ever")
	for f, failures := range map[Factor]int{FactorOTP: 2, FactorPassword: 3, FactorPIN: 4, 0: 0, 4: 0} {
		require.Equal(t, failures, s.Attempts(f).Failures, f.String())
		changed := s.Clone()
		changed.SetAttempts(f, Attempts{Failures: 9})
		require.Equal(t, failures != 0, changed.Attempts(f).Failures == 9)
	}
	s.SetAttempts(FactorPIN, s.PIN.Cleared())
	require.Equal(t, Attempts{unknown: "\xc8\x00\x01a"}, s.PIN, "what a newer release keeps is not cleared")
	require.Equal(t, 3, s.Password.Failures)
}

// The view for people is an interface too: dashboards read it.
func TestDeviceUsed(t *testing.T) {
	for _, c := range []struct {
		device Device
		used   bool
	}{
		{Device{}, false}, {Device{Basis: BasisOTP}, false}, {Device{Basis: BasisOTP, LastStep: 1}, true},
		{Device{Basis: BasisImported}, true}, {Device{Basis: BasisImported, LastStep: 1}, true},
	} {
		require.Equal(t, c.used, c.device.Used(), "%+v", c.device)
	}
}

func TestRotationPending(t *testing.T) {
	until := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	var none *Rotation
	require.False(t, none.Pending(until))
	r := &Rotation{Until: until}
	require.True(t, r.Pending(until.Add(-1)))
	require.False(t, r.Pending(until))
}

// A kind without failures takes no room. Of too many, the one that failed first is
// forgotten.
func TestFailuresOfKinds(t *testing.T) {
	var s State
	one, two := Attempts{Failures: 1}, Attempts{Failures: 2}
	s.SetKindAttempts("a", Attempts{})
	require.Empty(t, s.Kinds)
	s.SetKindAttempts("a", one)
	s.SetKindAttempts("b", one)
	s.SetKindAttempts("a", two)
	require.Equal(t, []KindAttempts{{Kind: "a", Attempts: two}, {Kind: "b", Attempts: one}}, s.Kinds)
	require.Equal(t, two, s.KindAttempts("a"))
	require.Equal(t, one, s.KindAttempts("b"))
	require.Zero(t, s.KindAttempts("c"))
	s.SetKindAttempts("a", Attempts{})
	require.Equal(t, []KindAttempts{{Kind: "b", Attempts: one}}, s.Kinds)

	for i := range MaxKinds {
		s.SetKindAttempts(fmt.Sprint(i), two)
	}
	require.Len(t, s.Kinds, MaxKinds)
	require.Zero(t, s.KindAttempts("b"))
	require.Equal(t, two, s.KindAttempts("0"))
	s.SetKindAttempts("0", one)
	require.Len(t, s.Kinds, MaxKinds, "a kind that is there already takes nobody's place")
	require.Equal(t, two, s.KindAttempts("1"))
}

func TestStateViewIsStable(t *testing.T) {
	want, err := os.ReadFile("testdata/state_view.json")
	require.NoError(t, err)
	for text, s := range map[string]State{
		string(want): everything(),
		`{"devices":[],"codes":[],"spent":[],"otp":{"failures":0},"password":{"failures":0},"pin":{"failures":0},"writes":[]}`: {},
	} {
		got, err := s.MarshalJSON()
		require.NoError(t, err)
		require.JSONEq(t, text, string(got))
		require.Equal(t, string(got), s.String())
	}
}

// What the golden State does not have could change its form unnoticed.
func TestTheGoldenStateHasEveryField(t *testing.T) {
	missing := map[string]bool{} // by the field; false once it was seen filled
	var look func(v reflect.Value, path string)
	look = func(v reflect.Value, path string) {
		absent, known := missing[path]
		missing[path] = v.IsZero() && (absent || !known)
		switch {
		case v.Kind() == reflect.Pointer && !v.IsNil():
			look(v.Elem(), path)
		case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
			for i := range v.Len() {
				look(v.Index(i), path)
			}
		case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
			for i := range v.NumField() {
				if field := v.Type().Field(i); field.IsExported() {
					look(v.Field(i), path+"."+field.Name)
				}
			}
		}
	}
	look(reflect.ValueOf(everything()), "State")
	require.Greater(t, len(missing), 40)
	for field, absent := range missing {
		require.False(t, absent, field)
	}
}
