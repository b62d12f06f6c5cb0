package credential

import (
	"bytes"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStateBoundsOfCount(t *testing.T) {
	require.NoError(t, State{}.Check())
	full := State{
		Devices: make([]Device, 100), Codes: make([]OneTimeCode, 50), Spent: make([]SpentProof, 200), Writes: make([]WriteID, 32),
	}
	require.NoError(t, full.Check())
	_, err := full.MarshalBinary()
	require.NoError(t, err)
	for want, over := range map[string]func(*State){
		"101 devices, at most 100":      func(s *State) { s.Devices = make([]Device, 101) },
		"51 one-time codes, at most 50": func(s *State) { s.Codes = make([]OneTimeCode, 51) },
		"201 spent proofs, at most 200": func(s *State) { s.Spent = make([]SpentProof, 201) },
		"33 write ids, at most 32":      func(s *State) { s.Writes = make([]WriteID, 33) },
		"5 replaced proofs, at most 4":  func(s *State) { s.Devices[99].Replaced = make([]ReplacedProof, 5) },
		"6 past rotations, at most 5":   func(s *State) { s.Devices[99].PastRotations = make([]PastRotation, 6) },
	} {
		s := full.Clone()
		over(&s)
		require.ErrorIs(t, s.Check(), ErrStateSize)
		require.ErrorContains(t, s.Check(), want)
		b, err := s.MarshalBinary()
		require.ErrorIs(t, err, ErrStateSize)
		require.Nil(t, b)
	}
}

// The encoded size is bounded exactly, and refused rather than truncated.
func TestStateBoundsOfSize(t *testing.T) {
	// One byte of format, and three of header for each code and each kind, whose
	// own length is written in two bytes.
	sized := func(total int) (s State) {
		const kind = 60_000
		for total--; total > 0; total -= min(total, kind+6) {
			s.Codes = append(s.Codes, OneTimeCode{Kind: strings.Repeat("a", min(total, kind+6)-6)})
		}
		return s
	}
	b, err := sized(MaxStateBytes).MarshalBinary()
	require.NoError(t, err)
	require.Len(t, b, 256*1024)
	var back State
	require.NoError(t, back.UnmarshalBinary(b))
	require.Equal(t, sized(MaxStateBytes), back)
	require.NoError(t, sized(MaxStateBytes).Check())
	require.ErrorIs(t, sized(MaxStateBytes+1).Check(), ErrStateSize)
	b, err = sized(MaxStateBytes + 1).MarshalBinary()
	require.ErrorIs(t, err, ErrStateSize)
	require.ErrorContains(t, err, "262145 bytes encoded, at most 262144")
	require.Nil(t, b)
	_, err = State{Codes: []OneTimeCode{{Kind: strings.Repeat("a", 1<<16)}}}.MarshalBinary()
	require.ErrorIs(t, err, ErrStateSize, "a value longer than its length can say")
}

// A number that could not be read back is not written: it would shut the
// account for good.
func TestNumbersOutOfBoundsAreNotEncoded(t *testing.T) {
	beyond := int64(math.MaxInt32) + 1 // negative where an int has 32 bits
	for name, s := range map[string]State{
		"negative failures":        {PIN: Attempts{Failures: -1}},
		"failures beyond 31 bits":  {OTP: Attempts{Failures: int(beyond)}},
		"negative digits":          {Devices: []Device{{Digits: -1}}},
		"digits beyond 31 bits":    {Devices: []Device{{Digits: int(beyond)}}},
		"negative period":          {Devices: []Device{{Period: -1}}},
		"negative step":            {Devices: []Device{{LastStep: -1}}},
		"negative device failures": {Devices: []Device{{Attempts: Attempts{Failures: -1}}}},
	} {
		b, err := s.MarshalBinary()
		require.ErrorIs(t, err, ErrStateSize, name)
		require.Nil(t, b)
	}
	most := State{
		PIN:     Attempts{Failures: math.MaxInt32},
		Devices: []Device{{Digits: math.MaxInt32, Period: math.MaxInt64, LastStep: math.MaxInt64, Algorithm: math.MaxUint8, Basis: math.MaxUint8}},
	}
	b, err := most.MarshalBinary()
	require.NoError(t, err)
	var back State
	require.NoError(t, back.UnmarshalBinary(b))
	require.Equal(t, most, back)
}

// requireAgree holds that Check and MarshalBinary say the same, and returns it.
func requireAgree(t testing.TB, s State) error {
	t.Helper()
	checked := s.Check()
	b, err := s.MarshalBinary()
	require.Equal(t, err, checked)
	if err != nil {
		require.ErrorIs(t, err, ErrStateSize)
		require.Nil(t, b)
		return err
	}
	require.Equal(t, len(b), cap(b), "measured exactly")
	require.LessOrEqual(t, len(b), MaxStateBytes)
	var back State
	require.NoError(t, back.UnmarshalBinary(b))
	require.NoError(t, back.Check())
	return nil
}

// Check accepts a State if and only if it can be encoded, whatever is wrong with
// it.
func TestCheckAgreesWithMarshalBinary(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	long := func() string { return strings.Repeat("x", 1<<r.IntN(18)-r.IntN(2)) }
	number := func() int64 {
		return []int64{-1, math.MinInt64, 0, 1, math.MaxInt32, math.MaxInt32 + 1, math.MaxInt64, math.MaxUint8 + 1}[r.IntN(8)]
	}
	spoils := []func(*State){
		func(s *State) { s.Devices = append(s.Devices, Device{ID: long()}) },
		func(s *State) { s.Devices = append(s.Devices, Device{Sealed: []byte(long())}) },
		func(s *State) { s.Devices = append(s.Devices, Device{ProofDigest: []byte(long())}) },
		func(s *State) { s.Devices = append(s.Devices, Device{ID: long(), Attempts: Attempts{Against: long()}}) },
		func(s *State) { s.Devices = append(s.Devices, Device{Digits: int(number())}) },
		func(s *State) { s.Devices = append(s.Devices, Device{Period: time.Duration(number())}) },
		func(s *State) { s.Devices = append(s.Devices, Device{LastStep: number()}) },
		func(s *State) { s.Devices = append(s.Devices, Device{Attempts: Attempts{Failures: int(number())}}) },
		func(s *State) {
			s.Codes = append(s.Codes, OneTimeCode{ID: long(), Kind: long(), Digest: []byte(long())})
		},
		func(s *State) { s.Spent = append(s.Spent, SpentProof{ProofID: long()}) },
		func(s *State) { s.PIN.Failures = int(number()) },
		func(s *State) { s.OTP.Against = long() },
		func(s *State) { s.Password.unknown = record(200, strings.Repeat("x", r.IntN(1<<16))) },
		func(s *State) { s.unknown = []byte(record(200, strings.Repeat("x", r.IntN(1<<16)))) },
		func(s *State) { s.Devices = append(s.Devices, make([]Device, r.IntN(2*MaxDevices))...) },
		func(s *State) { s.Codes = append(s.Codes, make([]OneTimeCode, r.IntN(2*MaxCodes))...) },
		func(s *State) { s.Spent = append(s.Spent, make([]SpentProof, r.IntN(2*MaxSpent))...) },
		func(s *State) { s.Writes = append(s.Writes, make([]WriteID, r.IntN(2*MaxWrites))...) },
	}
	accepted, refused := 0, 0
	for range 3000 {
		s := State{}
		if r.IntN(2) == 0 {
			s = randomState(r)
		}
		for range r.IntN(3) {
			spoils[r.IntN(len(spoils))](&s)
		}
		if requireAgree(t, s) == nil {
			accepted++
		} else {
			refused++
		}
	}
	require.Greater(t, accepted, 500)
	require.Greater(t, refused, 500)
}

// fullState is a State that is full in every number, with the longest values
// that the library itself writes.
func fullState(t testing.TB) State {
	t.Helper()
	at := time.Date(2026, 5, 4, 12, 0, 0, 123456789, time.UTC)
	key := NewKey(strings.Repeat("k", maxKeyID))
	keys, err := NewKeyring(key.ID, key)
	require.NoError(t, err)
	digest, err := keys.Digest(Scope{Purpose: PurposeProof}, NewSecret("1234567890"))
	require.NoError(t, err)
	attempts := Attempts{Failures: 100, LastAt: at, Against: Fingerprint("hash")}
	s := State{OTP: attempts, Password: attempts, PIN: attempts, Writes: make([]WriteID, MaxWrites)}
	uuid := "738e379f-fe30-45ab-819c-ba88804b6368"
	for range MaxDevices {
		d := Device{
			ID: uuid, Algorithm: AlgorithmSHA512, Digits: 8, Period: 2 * time.Minute, Basis: BasisOTP, RestsOnGrace: true,
			ProofDigest: digest, CreatedAt: at, LastStep: math.MaxInt64, Attempts: attempts, Named: attempts,
			Name: strings.Repeat("\U0001F4F1", 64), MadeBy: uuid,
			Replaced: slices.Repeat([]ReplacedProof{{Digest: digest, CreatedAt: at}}, MaxReplaced),
		}
		d.PastRotations = slices.Repeat([]PastRotation{{ID: uuid, StartedAt: at}}, MaxRotations)
		r := Rotation{
			ID:        uuid,
			Algorithm: AlgorithmSHA512, Digits: 8, Period: 2 * time.Minute, Basis: BasisOTP, RestsOnGrace: true,
			ProofDigest: digest, StartedAt: at, Until: at, LastStep: math.MaxInt64,
		}
		r.Sealed, err = keys.Seal(RotationScope("account", &d, &r), NewSecret(strings.Repeat("s", AlgorithmSHA512.SecretSize())))
		require.NoError(t, err)
		d.Rotation = &r
		d.Sealed, err = keys.Seal(DeviceScope("account", &d), NewSecret(strings.Repeat("s", 128))) // as an import may have
		require.NoError(t, err)
		s.Devices = append(s.Devices, d)
	}
	for range MaxCodes {
		s.Codes = append(s.Codes, OneTimeCode{ID: "00c0ffee00c0ffee", Kind: strings.Repeat("k", 32), Digest: digest, ExpiresAt: at})
	}
	for range MaxSpent {
		s.Spent = append(s.Spent, SpentProof{ProofID: strings.Repeat("p", 255), Until: at})
	}
	for range MaxKinds {
		s.Kinds = append(s.Kinds, KindAttempts{Kind: strings.Repeat("k", 32), Attempts: attempts})
	}
	for range MaxRevoked {
		sealed, err := keys.Seal(RevokedScope("account", uuid), NewSecret(strings.Repeat("h", 32)))
		require.NoError(t, err)
		s.Revoked = append(s.Revoked, RevokedDevice{ID: uuid, At: at, Sealed: sealed, Imported: true})
	}
	require.NoError(t, s.Recovery.Replace(keys, "account", slices.Repeat([]Secret{NewRecoveryCode()}, MaxRecoveryCodes), at))
	s.Recovery.Attempts, s.GraceIssued = attempts, math.MaxInt32
	return s
}

func TestAFullStateFits(t *testing.T) {
	s := fullState(t)
	require.NoError(t, requireAgree(t, s))
	require.GreaterOrEqual(t, MaxSpent, MaxDevices, "each device may stand on an OTP that is still remembered")
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if s.Check() != nil {
			t.Error("refused")
		}
	}), "Check encodes nothing")
}

// What Check refuses is refused when it is read, too.
func TestTooMuchIsNotDecoded(t *testing.T) {
	many := func(n int, tag byte, value string) string {
		return string(rune(stateFormat)) + strings.Repeat(record(tag, value), n)
	}
	for want, data := range map[string]string{
		"101 devices, at most 100":      many(101, tagDevice, ""),
		"21845 devices, at most 100":    many(21845, tagDevice, ""),
		"51 one-time codes, at most 50": many(51, tagCode, ""),
		"201 spent proofs, at most 200": many(201, tagSpent, ""),
		"33 write ids, at most 32":      many(1, tagWrites, strings.Repeat("0123456789abcdef", 33)),
		"64 write ids, at most 32":      many(2, tagWrites, strings.Repeat("0123456789abcdef", 32)),
		"more than 4 replaced proofs":   many(1, tagDevice, strings.Repeat(record(tagDeviceReplaced, ""), 5)),
		"more than 5 past rotations":    many(1, tagDevice, strings.Repeat(record(tagDevicePastRotation, ""), 6)),
		"262148 bytes encoded, at most": many(4, 200, strings.Repeat("x", MaxStateBytes/4-3+1))[:MaxStateBytes+4],
	} {
		s := everything()
		err := s.UnmarshalBinary([]byte(data))
		require.ErrorIs(t, err, ErrStateSize, want)
		require.ErrorContains(t, err, want)
		require.Equal(t, everything(), s, "s is left as it was")
	}
	for _, data := range []string{
		many(100, tagDevice, ""), many(50, tagCode, ""), many(200, tagSpent, ""), many(2, tagWrites, strings.Repeat("0123456789abcdef", 16)),
	} {
		var s State
		require.NoError(t, s.UnmarshalBinary([]byte(data)))
		require.NoError(t, requireAgree(t, s))
	}
}

// Whatever 256 KiB say, reading them takes little memory.
func TestDecodingIsBoundedInMemory(t *testing.T) {
	for name, unit := range map[string]string{
		"devices": record(tagDevice, ""), "codes": record(tagCode, ""), "proofs": record(tagSpent, ""), "writes": record(tagWrites, "0123456789abcdef"),
		"attempts": record(tagOTPAttempts, record(200, "")), "unknown": record(200, ""), "a device": record(tagDevice, strings.Repeat(record(200, ""), 200)),
	} {
		data := append([]byte{stateFormat}, bytes.Repeat([]byte(unit), (MaxStateBytes-1)/len(unit))...)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var s State
		_ = s.UnmarshalBinary(data)
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), name)
	}
}
