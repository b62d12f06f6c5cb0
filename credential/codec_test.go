package credential

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func roundTrip(t testing.TB, s State) State {
	t.Helper()
	b, err := s.MarshalBinary()
	require.NoError(t, err)
	var back State
	require.NoError(t, back.UnmarshalBinary(b))
	again, err := back.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, b, again)
	return back
}

func TestStateRoundTrips(t *testing.T) {
	require.Equal(t, everything(), roundTrip(t, everything()))
	require.Equal(t, State{}, roundTrip(t, State{}))
	require.Equal(t, State{Devices: []Device{{}}, Codes: []OneTimeCode{{}}, Spent: []SpentProof{{}}}, roundTrip(t, State{
		Devices: []Device{{Sealed: []byte{}}}, Codes: []OneTimeCode{{}}, Spent: []SpentProof{{}}, Writes: []WriteID{},
	}), "empty values come back as none")
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		s := randomState(rnd)
		require.Equal(t, s, roundTrip(t, s))
	}
}

func randomState(r *rand.Rand) (s State) {
	text := func(most int) string {
		b := make([]byte, r.IntN(most+1))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return string(b)
	}
	data := func() []byte { return append([]byte(nil), text(80)...) }
	at := func() time.Time {
		if r.IntN(4) == 0 {
			return time.Time{}
		}
		return time.Unix(r.Int64N(1<<40)-(1<<39), r.Int64N(1e9)).UTC()
	}
	attempts := func() Attempts { return Attempts{Failures: r.IntN(101), LastAt: at(), Against: text(16)} }
	for range r.IntN(20) {
		s.Devices = append(s.Devices, Device{
			ID: text(36), Sealed: data(), Algorithm: Algorithm(r.IntN(256)), Digits: r.IntN(9), Period: time.Duration(r.Int64()),
			Basis: Basis(r.IntN(256)), ProofDigest: data(), CreatedAt: at(), LastStep: r.Int64(), Attempts: attempts(), RestsOnGrace: r.IntN(2) == 1,
		})
	}
	for range r.IntN(10) {
		s.Codes = append(s.Codes, OneTimeCode{ID: text(16), Kind: text(32), Digest: data(), ExpiresAt: at()})
		s.Spent = append(s.Spent, SpentProof{ProofID: text(255), Until: at()})
	}
	for range r.IntN(MaxWrites + 1) {
		s.Writes = append(s.Writes, WriteID{byte(r.Uint32())})
	}
	s.OTP, s.Password, s.PIN = attempts(), attempts(), attempts()
	return s
}

// Times are exact to the nanosecond, whatever the year, and told in UTC.
func TestTimesAreExact(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	for _, at := range []time.Time{
		{}, time.Unix(0, 0), time.Unix(0, 1), time.Unix(-1, 999999999), time.Date(2026, 5, 4, 12, 0, 0, 999999999, berlin),
		time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(-44, 3, 15, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Date(200000, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(math.MaxInt64, 999999999), time.Unix(math.MinInt64, 0), time.Now(),
	} {
		back := roundTrip(t, State{Spent: []SpentProof{{Until: at}}})
		require.True(t, back.Spent[0].Until.Equal(at), "%v", at)
		require.Equal(t, at.IsZero(), back.Spent[0].Until.IsZero())
		require.Equal(t, time.UTC, back.Spent[0].Until.Location())
	}
}

func record(tag byte, value string) string {
	return string([]byte{tag, byte(len(value) >> 8), byte(len(value))}) + value
}

// What a newer release has written survives a rewrite by this one, at every
// level, even if it comes more than once.
func TestUnknownRecordsSurvive(t *testing.T) {
	later := record(200, "later") + record(201, "") + record(200, "again")
	attempts := record(tagAttemptsFailures, "\x00\x00\x00\x00\x00\x00\x00\x03") + later
	data := "\x02" +
		record(tagDevice, record(tagDeviceID, "d")+record(tagDeviceAttempts, attempts)+later) +
		record(tagCode, record(tagCodeID, "c")+later) +
		record(tagSpent, record(tagSpentProof, "p")+later) +
		record(tagOTPAttempts, attempts) + record(tagPasswordAttempts, later) + record(tagPINAttempts, attempts) +
		later
	var s State
	require.NoError(t, s.UnmarshalBinary([]byte(data)))
	require.Equal(t, "d", s.Devices[0].ID)
	require.Equal(t, 3, s.PIN.Failures)
	s.PIN = s.PIN.Cleared()
	s.PIN.Failures = 3
	for _, rewritten := range []State{s, s.Clone()} {
		b, err := rewritten.MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, data, string(b))
	}
}

// What is not a State of this format is refused, and nothing is taken over.
func TestMalformedStateIsRefused(t *testing.T) {
	n := func(last byte) string { return "\x00\x00\x00\x00\x00\x00\x00" + string([]byte{last}) }
	for name, data := range map[string]string{
		"format 0":                "\x00",
		"format 1":                "\x01",
		"format 3":                "\x03",
		"JSON":                    "{}",
		"a tag alone":             "\x02\x01",
		"half a length":           "\x02\x01\x00",
		"a length without value":  "\x02\x01\x00\x01",
		"a device cut short":      "\x02" + record(tagDevice, "\x01\x00\x05abc"),
		"a code cut short":        "\x02" + record(tagCode, "\x01"),
		"a proof cut short":       "\x02" + record(tagSpent, "\x01\x00"),
		"attempts cut short":      "\x02" + record(tagPINAttempts, "\x01\x00\x08"),
		"nested attempts cut":     "\x02" + record(tagDevice, record(tagDeviceAttempts, "\x01")),
		"a number of 7 bytes":     "\x02" + record(tagDevice, record(tagDeviceDigits, "1234567")),
		"a number of 9 bytes":     "\x02" + record(tagDevice, record(tagDeviceLastStep, "\x00"+n(1))),
		"a negative number":       "\x02" + record(tagDevice, record(tagDeviceLastStep, "\xff"+n(1)[1:])),
		"digits beyond 31 bits":   "\x02" + record(tagDevice, record(tagDeviceDigits, "\x00\x00\x00\x00\x80\x00\x00\x00")),
		"an algorithm of 256":     "\x02" + record(tagDevice, record(tagDeviceAlgorithm, "\x00\x00\x00\x00\x00\x00\x01\x00")),
		"a basis of 256":          "\x02" + record(tagDevice, record(tagDeviceBasis, "\x00\x00\x00\x00\x00\x00\x01\x00")),
		"a flag of 2":             "\x02" + record(tagDevice, record(tagDeviceRestsOnGrace, n(2))),
		"failures beyond 31 bits": "\x02" + record(tagOTPAttempts, record(tagAttemptsFailures, "\x00\x00\x00\x00\x80\x00\x00\x00")),
		"a time of 11 bytes":      "\x02" + record(tagSpent, record(tagSpentUntil, "12345678\x00\x00\x00")),
		"a time of 13 bytes":      "\x02" + record(tagSpent, record(tagSpentUntil, "12345678\x00\x00\x00\x00\x00")),
		"a whole second of ns":    "\x02" + record(tagSpent, record(tagSpentUntil, "12345678\x3b\x9a\xca\x00")),
		"a write id of 17 bytes":  "\x02" + record(tagWrites, "0123456789abcdefg"),
	} {
		t.Run(name, func(t *testing.T) {
			s := everything()
			err := s.UnmarshalBinary([]byte(data))
			require.ErrorIs(t, err, ErrStateFormat)
			require.Equal(t, everything(), s, "s is left as it was")
		})
	}
	var s State
	require.NoError(t, s.UnmarshalBinary([]byte("\x02"+strings.Repeat(record(200, strings.Repeat("x", 1<<16-4)), 4)+record(200, ""))), "256 KiB exactly")
	require.NoError(t, s.UnmarshalBinary([]byte("\x02"+record(tagSpent, record(tagSpentUntil, "12345678\x3b\x9a\xc9\xff")))), "one nanosecond less than a second")
	s = everything()
	require.NoError(t, s.UnmarshalBinary(nil))
	require.Equal(t, State{}, s, "no bytes are the zero State")
}

// Cut anywhere but between two records of the outer level, it is refused.
func TestTruncatedStateIsRefused(t *testing.T) {
	whole := written(t)
	borders := map[int]bool{0: true}
	for at := 1; ; {
		borders[at] = true
		if at == len(whole) {
			break
		}
		at += 3 + int(whole[at+1])<<8 + int(whole[at+2])
	}
	for n := range len(whole) {
		var s State
		err := s.UnmarshalBinary(whole[:n])
		require.Equal(t, borders[n], err == nil, "%d of %d bytes", n, len(whole))
	}
}

func written(t testing.TB) []byte {
	t.Helper()
	b, err := everything().MarshalBinary()
	require.NoError(t, err)
	return b
}

// Decoding keeps nothing of the bytes it is given: a store may use them again.
func TestDecodingCopies(t *testing.T) {
	b := written(t)
	var s State
	require.NoError(t, s.UnmarshalBinary(b))
	for i := range b {
		b[i] = 0xff
	}
	require.Equal(t, everything(), s)
}

// A record has two bytes for its length, and all that they can say is used.
func TestRecordsHoldWhatTheirLengthCanSay(t *testing.T) {
	for more, fits := range []bool{true, false} {
		var known, counted writer
		known.header(1, math.MaxUint16+more)
		require.Equal(t, fits, known.err == nil)
		start := counted.begin(1)
		counted.addBytes(make([]byte, math.MaxUint16+more))
		counted.end(start)
		require.Equal(t, fits, counted.err == nil)
		if !fits {
			require.ErrorIs(t, known.err, ErrStateSize)
			require.ErrorIs(t, counted.err, ErrStateSize)
		}
	}
}
