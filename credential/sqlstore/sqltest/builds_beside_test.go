package sqltest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// atOnce sends requests n times from each build, all at once, each again as long as
// it is unavailable. It returns how often each code was the answer.
func atOnce(t *testing.T, builds []*build, n int, request func(b *build, i int) error) map[devicetotp.Code]int {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	answers := map[devicetotp.Code]int{}
	for at, b := range builds {
		for i := range n {
			all.Go(func() {
				var err error
				for range 20 {
					if err = request(b, at*n+i); devicetotp.CodeOf(err) != devicetotp.CodeUnavailable {
						break
					}
				}
				mu.Lock()
				defer mu.Unlock()
				answers[devicetotp.CodeOf(err)]++
			})
		}
	}
	all.Wait()
	return answers
}

func uuid(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// Two builds of one format serve one account at once, while the host changes it: each
// proof is good once, each guess is counted once, and what one of them has given the
// other knows.
func TestTwoBuildsOfAFormatSideBySide(t *testing.T) {
	f := newFleet(t)
	builds := []*build{f.start(), f.start()}
	device := f.register(builds[0], "a")
	ctx := context.Background()

	for round := range 3 {
		code := credential.NewSecret(fmt.Sprintf("1111111%d", round))
		_, err := builds[round%2].issuer.AddCode(ctx, devicetotp.AddCodeRequest{AccountID: "a", Kind: verifier.KindAccount, Code: code, TTL: devicetotp.MaxCodeTTL})
		require.NoError(t, err)
		var given atomic.Pointer[devicetotp.DeviceTOTP]
		answers := atOnce(t, builds, 4, func(b *build, i int) error {
			d, err := b.issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "a", DeviceID: uuid(100*round + i), OTP: code})
			if err == nil {
				given.Store(&d)
			}
			return err
		})
		require.Equal(t, map[devicetotp.Code]int{"": 1, devicetotp.CodeInvalidCredentials: 5, devicetotp.CodeTooManyAttempts: 2}, answers, "one code, one device; the others are wrong, and the fifth of them blocks")
		f.unblock(builds[1-round%2])

		for _, d := range []devicetotp.DeviceTOTP{device, *given.Load()} {
			answers = atOnce(t, builds, 2, func(b *build, _ int) error { return f.verify(b, "a", d) })
			require.Equal(t, map[devicetotp.Code]int{"": 1, devicetotp.CodeInvalidCredentials: 3}, answers, "a code is accepted once")
		}
		f.unblock(builds[round%2])
		f.clock.Advance(device.Period)

		device = f.rotatedByBoth(builds, round)
		f.clock.Advance(device.Period)
	}
}

func (f *fleet) unblock(b *build) {
	f.t.Helper()
	require.NoError(f.t, b.issuer.Unblock(f.t.Context(), devicetotp.UnblockRequest{
		AccountID: "a", Factors: []credential.Factor{credential.FactorOTP, credential.FactorPIN},
	}))
}

// rotatedByBoth has each build begin a rotation of deviceA, twice. The one that is
// pending at the end is given again by either, and confirmed; the other is refused.
func (f *fleet) rotatedByBoth(builds []*build, round int) (device devicetotp.DeviceTOTP) {
	f.t.Helper()
	rotate := func(b *build, n int) (devicetotp.DeviceTOTP, error) {
		return b.issuer.Rotate(context.Background(), devicetotp.RotateRequest{
			AccountID: "a", DeviceID: deviceA, RotationID: uuid(1000 + 10*round + n), PIN: credential.NewSecret("8299"),
		})
	}
	answers := atOnce(f.t, builds, 2, func(b *build, i int) error {
		_, err := rotate(b, i%2)
		return err
	})
	require.Equal(f.t, 4, answers[""]+answers[devicetotp.CodeIDInUse], "%v", answers)
	require.GreaterOrEqual(f.t, answers[""], 2, "%v", answers)
	pending := 0
	for n := range 2 {
		for _, b := range builds {
			d, err := rotate(b, n)
			if err == nil {
				require.True(f.t, d.Replayed)
				device = d
				pending++
			} else {
				require.Equal(f.t, devicetotp.CodeIDInUse, devicetotp.CodeOf(err))
			}
		}
	}
	require.Equal(f.t, 2, pending, "one of them, by both builds")
	require.NoError(f.t, f.verify(builds[round%2], "a", device))
	for n := range 2 {
		_, err := rotate(builds[n], n)
		require.Equal(f.t, devicetotp.CodeIDInUse, devicetotp.CodeOf(err))
	}
	f.clock.Advance(2 * devicetotp.DefaultPolicy().RetryWindow) // or the device is rotated too often
	return device
}

// The host sets another PIN and locks the account through one build, while both take
// guesses: each is counted, the new PIN is good at once and the old one is not, and
// once the account is locked neither build grants.
func TestTwoBuildsWhileTheHostChangesTheAccount(t *testing.T) {
	f := newFleet(t)
	builds := []*build{f.start(), f.start()}
	f.register(builds[0], "a")
	prove := func(b *build, pin string) error {
		_, err := b.issuer.Prove(context.Background(), devicetotp.ProveRequest{AccountID: "a", PIN: credential.NewSecret(pin)})
		return err
	}
	guess := func(b *build, _ int) error { return prove(b, "0000") }

	answers := atOnce(t, builds, 2, guess)
	require.Equal(t, map[devicetotp.Code]int{devicetotp.CodeInvalidCredentials: 4}, answers)
	require.Equal(t, 4, load(t, builds[1].store, "a").Attempts(credential.FactorPIN).Failures)

	before := load(t, builds[0].store, "a")
	after := f.pinHash("a", "1235")
	var changed sync.WaitGroup
	changed.Go(func() {
		if err := builds[0].store.RotateHash(context.Background(), "a", credential.FactorPIN, before.PINHash, after); err != nil {
			t.Error(err)
		}
	})
	answers = atOnce(t, builds, 1, guess)
	changed.Wait()
	counted := load(t, builds[1].store, "a").Attempts(credential.FactorPIN).Failures
	require.LessOrEqual(t, counted, answers[devicetotp.CodeInvalidCredentials], "each against the hash that it was compared with")
	for _, b := range builds {
		require.Equal(t, devicetotp.CodeInvalidCredentials, devicetotp.CodeOf(prove(b, "8299")), "the old PIN")
		require.NoError(t, prove(b, "1235"))
	}

	require.NoError(t, builds[1].store.SetLocked(t.Context(), "a", true))
	answers = atOnce(t, builds, 2, func(b *build, _ int) error { return prove(b, "1235") })
	require.Equal(t, map[devicetotp.Code]int{devicetotp.CodeAccountLocked: 4}, answers)
}
