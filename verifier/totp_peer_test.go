package verifier_test

import (
	"bytes"
	"encoding/base32"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

var peerAlgorithms = map[credential.Algorithm]otp.Algorithm{
	credential.AlgorithmSHA1:   otp.AlgorithmSHA1,
	credential.AlgorithmSHA256: otp.AlgorithmSHA256,
	credential.AlgorithmSHA512: otp.AlgorithmSHA512,
}

// peerCode is the code by github.com/pquerna/otp, which plays the device.
func peerCode(t testing.TB, p verifier.TOTP, step int64) string {
	t.Helper()
	algorithm, ok := peerAlgorithms[p.Algorithm]
	require.True(t, ok)
	code, err := hotp.GenerateCodeCustom(base32.StdEncoding.EncodeToString([]byte(p.Secret.Reveal())), uint64(step),
		hotp.ValidateOpts{Digits: otp.Digits(p.Digits), Algorithm: algorithm})
	require.NoError(t, err)
	return code
}

// peerMatch is what Match must return, by the peer's codes.
func peerMatch(t testing.TB, p verifier.TOTP, code string, current, after int64) (int64, bool) {
	t.Helper()
	for _, step := range []int64{current, current - 1, current + 1} {
		if step > after && step > 0 && peerCode(t, p, step) == code {
			return step, true
		}
	}
	return 0, false
}

// Codes and matches are those of another implementation, for every secret that
// may be imported and every time step.
func FuzzCodeAgainstPeer(f *testing.F) {
	f.Add([]byte("12345678901234567890"), uint8(0), uint8(0), uint16(20), int64(1), int64(0))
	f.Add([]byte("1234567890"), uint8(1), uint8(4), uint16(0), int64(1)<<32, int64(1)<<32-1)
	f.Add(bytes.Repeat([]byte{0xff}, 128), uint8(2), uint8(3), uint16(290), int64(1)<<62, int64(-1))
	f.Add(bytes.Repeat([]byte{0}, 65), uint8(0), uint8(2), uint16(5), int64(1)<<44, int64(1)<<44)
	f.Fuzz(func(t *testing.T, raw []byte, algorithm, digits uint8, seconds uint16, step, after int64) {
		p := verifier.TOTP{
			Secret:    credential.NewSecret(string(raw)),
			Algorithm: credential.AlgorithmSHA1 + credential.Algorithm(algorithm%3),
			Digits:    6 + int(digits%5),
			Period:    10*time.Second + time.Duration(seconds%291)*time.Second,
		}
		code, err := p.Code(step)
		if len(raw) < 10 || len(raw) > 128 || step <= 0 {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.Equal(t, peerCode(t, p, step), code.Reveal())

		now := time.Unix(step%(1<<44)*int64(p.Period/time.Second), 0) // so that the peer's floating point is exact
		current := p.Step(now)
		require.Equal(t, step%(1<<44), current)
		if current > 0 {
			ofTime, err := totp.GenerateCodeCustom(base32.StdEncoding.EncodeToString(raw), now, totp.ValidateOpts{
				Period: uint(p.Period / time.Second), Digits: otp.Digits(p.Digits), Algorithm: peerAlgorithms[p.Algorithm],
			})
			require.NoError(t, err)
			require.Equal(t, ofTime, peerCode(t, p, current))
		}
		for offset := int64(-2); offset <= 2; offset++ {
			presented := peerCode(t, p, max(1, current+offset))
			wantStep, want := peerMatch(t, p, presented, current, after)
			gotStep, got, err := p.Match(secret(presented), now, after)
			require.NoError(t, err)
			require.Equal(t, want, got, "offset %d", offset)
			require.Equal(t, wantStep, gotStep)
		}
	})
}

// A secret of any length that may be imported is the whole key: one that is
// longer than a block of the hash too.
func TestCodesAreThePeersForSecretsOfEveryLength(t *testing.T) {
	for algorithm := range peerAlgorithms {
		for size := 10; size <= 128; size++ {
			raw := make([]byte, size)
			for i := range raw {
				raw[i] = byte(i*7 + size)
			}
			p := verifier.TOTP{Secret: secret(string(raw)), Algorithm: algorithm, Digits: 6 + size%5, Period: 30 * time.Second}
			for _, step := range []int64{1, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<32 + 1, 1<<63 - 1} {
				codeOf(t, p, step)
			}
		}
	}
}

// A step beyond 32 bits matches at its own time.
func TestStepsBeyond32BitsMatch(t *testing.T) {
	p := rfcTOTP()
	for _, step := range []int64{1<<32 - 1, 1 << 32, 1<<32 + 1, 1 << 40} {
		now := time.Unix(step*30, 0)
		got, ok, err := p.Match(codeOf(t, p, step), now, step-1)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, step, got)
		_, ok, err = p.Match(codeOf(t, p, step-1<<32+5), now, 0)
		require.NoError(t, err)
		require.False(t, ok, "the counter has 64 bits")
	}
}

// A number of ten digits may have 34 bits, those of a code have 31.
func TestTenDigitsAreComparedWhole(t *testing.T) {
	p := rfcTOTP()
	p.Digits = 10
	for step := int64(1); step < 200; step++ {
		now := time.Unix(step*30, 0)
		code := codeOf(t, p, step).Reveal()
		var number uint64
		_, err := fmt.Sscanf(code, "%d", &number)
		require.NoError(t, err)
		for _, high := range []uint64{1 << 31, 1 << 32, 1 << 33} {
			_, ok, err := p.Match(secret(fmt.Sprintf("%010d", number+high)), now, step-1)
			require.NoError(t, err)
			require.False(t, ok)
		}
		_, ok, err := p.Match(secret(code), now, step-1)
		require.NoError(t, err)
		require.True(t, ok)
	}
}

// Devices of every kind at once do not get each other's codes.
func TestDevicesAtOnceDoNotMix(t *testing.T) {
	type device struct {
		totp  verifier.TOTP
		codes []string
	}
	var devices []device
	for algorithm := range peerAlgorithms {
		for _, size := range []int{10, 20, 64, 65, 128} {
			d := device{totp: verifier.TOTP{
				Secret: secret(string(bytes.Repeat([]byte{byte(size)}, size))), Algorithm: algorithm, Digits: 8, Period: 30 * time.Second,
			}}
			for step := int64(1); step <= 50; step++ {
				d.codes = append(d.codes, peerCode(t, d.totp, step))
			}
			devices = append(devices, d)
		}
	}
	var all sync.WaitGroup
	mixed := make(chan string, len(devices))
	for _, d := range devices {
		all.Go(func() {
			for i, want := range d.codes {
				if got, err := d.totp.Code(int64(i + 1)); err != nil || got.Reveal() != want {
					mixed <- fmt.Sprint(d.totp.Algorithm, len(d.totp.Secret.Reveal()), err)
					return
				}
			}
		})
	}
	all.Wait()
	close(mixed)
	for what := range mixed {
		t.Error(what)
	}
}
