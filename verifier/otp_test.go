package verifier_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

const (
	oneTime  = "12345678"
	otherOTP = "87654321"
)

func verify(t testing.TB, v verifier.Verifier, a credential.Account, presented string, now time.Time) verifier.Verdict {
	t.Helper()
	verdict, err := v.Verify(t.Context(), query(a, secret(presented), now))
	require.NoError(t, err)
	verdict.Compared = nil // see TestOTPSaysWhatItCompared
	return verdict
}

// A one-time code is valid up to, and not at, the instant it expires.
func TestOneTimeCodeExpiresAtTheExactInstant(t *testing.T) {
	keys := ring(t, "k", "k")
	v := verifier.OTP(keys, verifier.KindAccount)
	expires := noon.Add(5 * time.Minute)
	a := credential.Account{ID: account}
	a.State.Codes = []credential.OneTimeCode{pending(t, keys, "c1", verifier.KindAccount, oneTime, expires)}
	want := verifier.Verdict{Status: verifier.StatusValid, ProofID: "code:c1", Until: expires}
	for _, now := range []time.Time{{}, noon, expires.Add(-1)} {
		require.Equal(t, want, verify(t, v, a, oneTime, now))
	}
	for _, now := range []time.Time{expires, expires.Add(1), expires.Add(1e6 * time.Hour)} {
		require.Equal(t, verifier.Verdict{Status: verifier.StatusWrong}, verify(t, v, a, oneTime, now))
	}
	a.State.Codes[0].ExpiresAt = time.Time{}
	require.Equal(t, verifier.StatusWrong, verify(t, v, a, oneTime, noon).Status, "without an expiry it has expired")
}

// Only codes of the kinds that were asked for count, a host's own included.
func TestOneTimeCodeKinds(t *testing.T) {
	keys := ring(t, "k", "k")
	a := credential.Account{ID: account}
	a.State.Codes = []credential.OneTimeCode{pending(t, keys, "c1", "sms", oneTime, noon.Add(1))}
	for _, tc := range []struct {
		kinds []string
		want  verifier.Status
	}{
		{nil, verifier.StatusWrong},
		{[]string{verifier.KindAccount}, verifier.StatusWrong},
		{[]string{verifier.KindAccount, verifier.KindDeviceTOTP}, verifier.StatusWrong},
		{[]string{"SMS"}, verifier.StatusWrong},
		{[]string{"sms"}, verifier.StatusValid},
		{[]string{verifier.KindAccount, "sms"}, verifier.StatusValid},
	} {
		require.Equal(t, tc.want, verify(t, verifier.OTP(keys, tc.kinds...), a, oneTime, noon).Status, "%v", tc.kinds)
	}
	kinds := []string{"sms"}
	v := verifier.OTP(keys, kinds...)
	kinds[0] = "changed later"
	require.Equal(t, verifier.StatusValid, verify(t, v, a, oneTime, noon).Status, "the kinds were copied")
}

// A code of another account, of another value or in another form is wrong.
func TestOneTimeCodeBelongsToOneAccount(t *testing.T) {
	keys := ring(t, "k", "k")
	v := verifier.OTP(keys, verifier.KindAccount)
	a := credential.Account{ID: account}
	a.State.Codes = []credential.OneTimeCode{pending(t, keys, "c1", verifier.KindAccount, oneTime, noon.Add(1))}
	other := a
	other.ID = "account-2"
	require.Equal(t, verifier.StatusWrong, verify(t, v, other, oneTime, noon).Status)
	for _, wrong := range []string{"", otherOTP, "1234567", "012345678", oneTime + " ", "\u3000" + oneTime, oneTime + "\x00", "１２３４５６７８"} {
		require.Equal(t, verifier.Verdict{Status: verifier.StatusWrong}, verify(t, v, a, wrong, noon), "%q", wrong)
	}
	verdict, err := v.Verify(t.Context(), query(a, credential.Secret{}, noon))
	require.NoError(t, err)
	require.Equal(t, verifier.StatusWrong, verdict.Status)
	require.Equal(t, verifier.StatusWrong, verify(t, v, credential.Account{}, oneTime, noon).Status)
}

// A spent code is spent; the same digits as another code that is not are valid,
// whichever stands first.
func TestSpentYieldsToValid(t *testing.T) {
	keys := ring(t, "k", "k")
	v := verifier.OTP(keys, "a", "b", verifier.KindDeviceTOTP)
	first := pending(t, keys, "c1", "a", oneTime, noon.Add(1))
	second := pending(t, keys, "c2", "b", oneTime, noon.Add(2))
	spent := func(ids ...string) (out []credential.SpentProof) {
		for _, id := range ids {
			out = append(out, credential.SpentProof{ProofID: "code:" + id, Until: noon.Add(time.Hour)})
		}
		return out
	}
	for name, tc := range map[string]struct {
		codes []credential.OneTimeCode
		spent []credential.SpentProof
		want  verifier.Verdict
	}{
		"spent":              {[]credential.OneTimeCode{first}, spent("c1"), verifier.Verdict{Status: verifier.StatusSpent}},
		"both spent":         {[]credential.OneTimeCode{first, second}, spent("c1", "c2"), verifier.Verdict{Status: verifier.StatusSpent}},
		"spent, then valid":  {[]credential.OneTimeCode{first, second}, spent("c1"), verifier.Verdict{Status: verifier.StatusValid, ProofID: "code:c2", Until: noon.Add(2)}},
		"valid, then spent":  {[]credential.OneTimeCode{first, second}, spent("c2"), verifier.Verdict{Status: verifier.StatusValid, ProofID: "code:c1", Until: noon.Add(1)}},
		"another is spent":   {[]credential.OneTimeCode{first}, spent("c2"), verifier.Verdict{Status: verifier.StatusValid, ProofID: "code:c1", Until: noon.Add(1)}},
		"wrong beside spent": {[]credential.OneTimeCode{pending(t, keys, "c3", "a", otherOTP, noon.Add(1))}, spent("c3"), verifier.Verdict{Status: verifier.StatusWrong}},
	} {
		t.Run(name, func(t *testing.T) {
			a := credential.Account{ID: account, State: credential.State{Codes: tc.codes, Spent: tc.spent}}
			require.Equal(t, tc.want, verify(t, v, a, oneTime, noon))
		})
	}
	t.Run("spent, and the code of a device", func(t *testing.T) {
		p := rfcTOTP()
		p.Digits = 8
		code := codeOf(t, p, p.Step(noon)).Reveal()
		a := credential.Account{ID: account}
		a.State.Codes = []credential.OneTimeCode{pending(t, keys, "c1", "a", code, noon.Add(1))}
		a.State.Devices = []credential.Device{issue(t, keys, deviceID, p)}
		require.Equal(t, "code:c1", verify(t, v, a, code, noon).ProofID, "the one-time code comes first")
		a.State.Spent = spent("c1")
		require.Equal(t, deviceID, verify(t, v, a, code, noon).DeviceID)
	})
}

// The current code of an own device is a user OTP, once: its step is its proof.
func TestDeviceCodeIsAUserOTP(t *testing.T) {
	keys := ring(t, "k", "k")
	p := rfcTOTP()
	step := p.Step(noon)
	code := codeOf(t, p, step).Reveal()
	a := credential.Account{ID: account}
	a.State.Devices = []credential.Device{issue(t, keys, deviceID, p)}
	v := verifier.OTP(keys, verifier.KindDeviceTOTP)
	require.Equal(t, verifier.Verdict{
		Status: verifier.StatusValid, ProofID: "totp:" + deviceID + ":59263200", Until: p.AcceptedUntil(step),
		DeviceID: deviceID, Step: step,
	}, verify(t, v, a, code, noon))
	require.Equal(t, verifier.StatusWrong, verify(t, verifier.OTP(keys, verifier.KindAccount), a, code, noon).Status,
		"only where that kind is accepted")
	for last, want := range map[int64]verifier.Status{step - 1: verifier.StatusValid, step: verifier.StatusWrong, step + 1: verifier.StatusWrong} {
		a.State.Devices[0].LastStep = last
		require.Equal(t, want, verify(t, v, a, code, noon).Status, "the last accepted step is %d away", last-step)
	}
}

// With several devices the first that matches is named, and a device with codes
// of another length is not opened.
func TestDeviceCodeOfSeveralDevices(t *testing.T) {
	keys := ring(t, "k", "k")
	six, eight := rfcTOTP(), rfcTOTP()
	eight.Digits = 8
	other := rfcTOTP()
	other.Secret = secret("another secret of 20")
	ids := []string{"00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002", "00000000-0000-4000-8000-000000000003"}
	a := credential.Account{ID: account}
	a.State.Devices = []credential.Device{issue(t, keys, ids[0], other), issue(t, keys, ids[1], six), issue(t, keys, ids[2], six)}
	v := verifier.OTP(keys, verifier.KindDeviceTOTP)
	code := codeOf(t, six, six.Step(noon)).Reveal()
	require.Equal(t, ids[1], verify(t, v, a, code, noon).DeviceID)
	a.State.Devices[1].LastStep = six.Step(noon)
	require.Equal(t, ids[2], verify(t, v, a, code, noon).DeviceID, "where the first has used it up")
	a.State.Devices[0] = issue(t, keys, ids[0], eight)
	a.State.Devices[0].Sealed = []byte("does not open")
	require.Equal(t, ids[2], verify(t, v, a, code, noon).DeviceID)
}

// An error does not depend on whether the code is right, nor on what stands
// before the fault.
func TestErrorsDoNotTellWhetherTheCodeIsRight(t *testing.T) {
	keys := ring(t, "k", "k")
	p := rfcTOTP()
	code := codeOf(t, p, p.Step(noon)).Reveal()
	good := issue(t, keys, deviceID, p)
	broken := issue(t, keys, deviceID[:35]+"9", p)
	broken.Sealed = append([]byte{}, broken.Sealed...)
	broken.Sealed[len(broken.Sealed)-1] ^= 1
	goodCode := pending(t, keys, "c1", verifier.KindAccount, code, noon.Add(time.Minute))
	brokenCode := goodCode
	brokenCode.ID, brokenCode.Digest = "c2", []byte{1, 2, 3}
	v := verifier.OTP(keys, verifier.KindAccount, verifier.KindDeviceTOTP)
	for name, state := range map[string]credential.State{
		"a broken device after a good one":  {Devices: []credential.Device{good, broken}},
		"a broken device before a good one": {Devices: []credential.Device{broken, good}},
		"a broken device after a good code": {Devices: []credential.Device{broken}, Codes: []credential.OneTimeCode{goodCode}},
		"a broken code after a good one":    {Codes: []credential.OneTimeCode{goodCode, brokenCode}},
		"a broken code before a good one":   {Codes: []credential.OneTimeCode{brokenCode, goodCode}},
		"a broken code beside a device":     {Devices: []credential.Device{good}, Codes: []credential.OneTimeCode{brokenCode}},
	} {
		t.Run(name, func(t *testing.T) {
			a := credential.Account{ID: account, State: state}
			for value, want := range map[string]verifier.Status{code: verifier.StatusValid, "000000": verifier.StatusWrong} {
				verdict, err := v.Verify(t.Context(), query(a, secret(value), noon))
				require.NoError(t, err)
				require.Equal(t, want, verdict.Status)
				require.Len(t, verdict.Compared, 2)
				var broken []error
				for _, c := range verdict.Compared {
					if c.Err != nil {
						broken = append(broken, c.Err)
					}
				}
				require.Len(t, broken, 1, "the verdict says what did not open")
				require.ErrorIs(t, broken[0], credential.ErrTampered)
			}
		})
	}
}

// If nothing opens, there is no verdict, whatever the code is.
func TestWhereNothingOpensThereIsNoVerdict(t *testing.T) {
	keys := ring(t, "k", "k")
	p := rfcTOTP()
	code := codeOf(t, p, p.Step(noon)).Reveal()
	d := issue(t, keys, deviceID, p)
	d.Sealed[len(d.Sealed)-1] ^= 1
	a := credential.Account{ID: account, State: credential.State{
		Devices: []credential.Device{d},
		Codes:   []credential.OneTimeCode{{ID: "c", Kind: verifier.KindAccount, Digest: []byte{1}, ExpiresAt: noon.Add(1)}},
	}}
	v := verifier.OTP(keys, verifier.KindAccount, verifier.KindDeviceTOTP)
	_, rightErr := v.Verify(t.Context(), query(a, secret(code), noon))
	_, wrongErr := v.Verify(t.Context(), query(a, secret("000000"), noon))
	require.ErrorIs(t, rightErr, credential.ErrTampered)
	require.Equal(t, wrongErr.Error(), rightErr.Error())
}

// What an OTP was compared with: each device that generates codes of its length,
// and each pending code of an accepted kind.
func TestOTPSaysWhatItCompared(t *testing.T) {
	keys := ring(t, "k", "k")
	p := rfcTOTP()
	eight := p
	eight.Digits = 8
	withdrawn := pending(t, keys, "c2", "a", "123456", noon.Add(1))
	withdrawn.Withdrawn = true
	a := credential.Account{ID: account, State: credential.State{
		Devices: []credential.Device{issue(t, keys, "d6", p), issue(t, keys, "d8", eight)},
		Codes: []credential.OneTimeCode{
			pending(t, keys, "c1", "a", "123456", noon.Add(1)), withdrawn,
			pending(t, keys, "c3", "a", "123456", noon), pending(t, keys, "c4", "other", "123456", noon.Add(1)),
		},
		Spent: []credential.SpentProof{{ProofID: "code:c1"}},
	}}
	verdict, err := verifier.OTP(keys, "a", verifier.KindDeviceTOTP).Verify(t.Context(), query(a, secret("123456"), noon))
	require.NoError(t, err)
	require.Equal(t, verifier.StatusSpent, verdict.Status)
	require.Equal(t, []verifier.Compared{{DeviceID: "d6"}, {CodeID: "c1", Kind: "a", Spent: true}}, verdict.Compared)
	verdict, err = verifier.OTP(keys, "a").Verify(t.Context(), query(a, secret("x"), noon))
	require.NoError(t, err)
	require.NotNil(t, verdict.Compared, "compared with nothing")
	require.Empty(t, verdict.Compared)
}

// What needs a key that is not there fails, and names the key and nothing else.
func TestMissingKeyIsNamed(t *testing.T) {
	old, current := ring(t, "k1", "k1"), ring(t, "k2", "k2")
	p := rfcTOTP()
	a := credential.Account{ID: account}
	a.State.Codes = []credential.OneTimeCode{pending(t, old, "c1", verifier.KindAccount, oneTime, noon.Add(1))}
	_, err := verifier.OTP(current, verifier.KindAccount).Verify(t.Context(), query(a, secret(oneTime), noon))
	require.ErrorIs(t, err, credential.ErrMissingKey)
	require.EqualError(t, err, `credential: key not in the keyring: "k1"`)
	d := issue(t, old, deviceID, p)
	_, _, err = verifier.MatchDevice(current, account, &d, codeOf(t, p, p.Step(noon)), noon)
	require.ErrorIs(t, err, credential.ErrMissingKey)
	require.EqualError(t, err, `verifier: device `+deviceID+`: credential: key not in the keyring: "k1"`)
	for _, none := range []*credential.Keyring{nil, {}} {
		_, err = verifier.OTP(none, verifier.KindAccount).Verify(t.Context(), query(a, secret(oneTime), noon))
		require.ErrorIs(t, err, credential.ErrMissingKey)
	}
}

func TestMatchDevice(t *testing.T) {
	keys := ring(t, "k1", "k1", "k2")
	newer := ring(t, "k2", "k1", "k2")
	p := rfcTOTP()
	d := issue(t, keys, deviceID, p)
	for drift := -1; drift <= 1; drift++ {
		step := p.Step(noon) + int64(drift)
		for _, k := range []*credential.Keyring{keys, newer} {
			m, ok, err := verifier.MatchDevice(k, account, &d, codeOf(t, p, step), noon)
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, verifier.DeviceMatch{
				DeviceID: deviceID, Step: step, Drift: drift, ValidUntil: p.AcceptedUntil(step), Outdated: k == newer,
			}, m)
		}
	}
	m, ok, err := verifier.MatchDevice(keys, account, &d, secret("000000"), noon)
	require.NoError(t, err)
	require.False(t, ok)
	require.Zero(t, m)
	for name, spoil := range map[string]func(d *credential.Device, accountID *string){
		"another account": func(_ *credential.Device, accountID *string) { *accountID = "account-2" },
		"another device":  func(d *credential.Device, _ *string) { d.ID = deviceID[:35] + "9" },
		"no digits":       func(d *credential.Device, _ *string) { d.Digits = 0 },
		"no period":       func(d *credential.Device, _ *string) { d.Period = 0 },
		"no algorithm":    func(d *credential.Device, _ *string) { d.Algorithm = 0 },
		"nothing sealed":  func(d *credential.Device, _ *string) { d.Sealed = nil },
		"sealed without digits": func(d *credential.Device, _ *string) {
			d.Digits = 0
			*d = resealed(t, keys, *d, p.Secret)
		},
		"sealed without a period": func(d *credential.Device, _ *string) {
			d.Period = 0
			*d = resealed(t, keys, *d, p.Secret)
		},
		"sealed without an algorithm": func(d *credential.Device, _ *string) {
			d.Algorithm = 0
			*d = resealed(t, keys, *d, p.Secret)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, accountID := d, account
			spoil(&d, &accountID)
			m, ok, err := verifier.MatchDevice(keys, accountID, &d, codeOf(t, p, p.Step(noon)), noon)
			require.ErrorContains(t, err, "device "+d.ID)
			require.False(t, ok)
			require.Zero(t, m)
		})
	}
	short := p
	short.Secret = secret("ninebytes")
	_, ok, err = verifier.MatchDevice(keys, account, ptr(issue(t, keys, deviceID, short)), secret("000000"), noon)
	require.ErrorContains(t, err, "secret of 9 bytes")
	require.False(t, ok)
}

// The device code of an outdated seal says so, so that it is sealed again.
func TestDeviceCodeUnderAnOldKeyIsOutdated(t *testing.T) {
	p := rfcTOTP()
	a := credential.Account{ID: account}
	a.State.Devices = []credential.Device{issue(t, ring(t, "k1", "k1", "k2"), deviceID, p)}
	for primary, want := range map[string]bool{"k1": false, "k2": true} {
		v := verifier.OTP(ring(t, primary, "k1", "k2"), verifier.KindDeviceTOTP)
		require.Equal(t, want, verify(t, v, a, codeOf(t, p, p.Step(noon)).Reveal(), noon).Outdated)
	}
}
