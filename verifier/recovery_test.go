package verifier_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// recoverable returns an account with recovery codes, a pending one-time code and
// a device, and the codes.
func recoverable(t testing.TB, keys *credential.Keyring, n int) (a credential.Account, codes []credential.Secret) {
	t.Helper()
	for range n {
		codes = append(codes, credential.NewRecoveryCode())
	}
	a.ID = account
	require.NoError(t, a.State.Recovery.Replace(keys, account, codes, noon))
	a.State.Codes = []credential.OneTimeCode{pending(t, keys, "c1", verifier.KindAccount, oneTime, noon.Add(1))}
	a.State.Devices = []credential.Device{issue(t, keys, deviceID, rfcTOTP())}
	return a, codes
}

// What an OTP is compared with depends on its form: digits with devices and
// one-time codes, anything else with the recovery codes, too long with nothing.
func TestAnOTPIsComparedWithWhatHasItsForm(t *testing.T) {
	keys := ring(t, "k", "k")
	a, codes := recoverable(t, keys, 3)
	device, code := verifier.Compared{DeviceID: deviceID}, verifier.Compared{CodeID: "c1", Kind: verifier.KindAccount}
	recovery := verifier.Compared{Kind: verifier.KindRecovery}
	for _, tc := range []struct {
		otp  string
		want []verifier.Compared
	}{
		{"000000", []verifier.Compared{device, code}},
		{"00000000", []verifier.Compared{code}},
		{"0000000000", []verifier.Compared{code}},
		{"00000", []verifier.Compared{recovery}},
		{"00000000000", []verifier.Compared{recovery}},
		{"000 000", []verifier.Compared{}}, // a code as apps show it
		{"x", []verifier.Compared{recovery}},
		{strings.Repeat("x", 64), []verifier.Compared{recovery}},
		{strings.Repeat("x", 65), []verifier.Compared{}},
		{codes[0].Reveal() + strings.Repeat(" ", 46), []verifier.Compared{}},
		{"", []verifier.Compared{}},
	} {
		all := verifier.OTP(keys, verifier.KindAccount, verifier.KindDeviceTOTP, verifier.KindRecovery)
		verdict, err := all.Verify(t.Context(), query(a, secret(tc.otp), noon))
		require.NoError(t, err)
		require.Equal(t, verifier.Verdict{Status: verifier.StatusWrong, Compared: tc.want}, verdict, "%q", tc.otp)
	}
}

func TestARecoveryCodeIsValidHoweverItIsTyped(t *testing.T) {
	keys := ring(t, "k", "k")
	a, codes := recoverable(t, keys, 3)
	v := verifier.OTP(keys, verifier.KindRecovery)
	want := verifier.Verdict{Status: verifier.StatusValid, Compared: []verifier.Compared{{Kind: verifier.KindRecovery, Right: true}}}
	for _, code := range codes {
		for _, typed := range []string{code.Reveal(), strings.ToUpper(code.Reveal()), strings.ReplaceAll(code.Reveal(), "-", " "), code.Reveal() + "\n"} {
			verdict, err := v.Verify(t.Context(), query(a, secret(typed), noon))
			require.NoError(t, err)
			require.Equal(t, want, verdict, "%q", typed)
			require.Equal(t, verifier.KindRecovery, verdict.Kind())
		}
	}
	for name, other := range map[string]func(*credential.Account) verifier.Verifier{
		"another kind": func(*credential.Account) verifier.Verifier {
			return verifier.OTP(keys, verifier.KindAccount, verifier.KindDeviceTOTP)
		},
		"no codes":        func(a *credential.Account) verifier.Verifier { a.State.Recovery = credential.RecoveryCodes{}; return v },
		"unknown account": func(a *credential.Account) verifier.Verifier { a.State = credential.State{}; return v },
	} {
		b := a
		v := other(&b)
		verdict, err := v.Verify(t.Context(), query(b, codes[0], noon))
		require.NoError(t, err, name)
		require.Equal(t, verifier.Verdict{Status: verifier.StatusWrong, Compared: []verifier.Compared{}}, verdict, name)
	}
}

// A set that does not open takes down nothing of another form.
func TestRecoveryCodesThatDoNotOpenAreNoVerdict(t *testing.T) {
	keys := ring(t, "k", "k")
	a, codes := recoverable(t, keys, 1)
	a.State.Recovery.Sealed[len(a.State.Recovery.Sealed)-1] ^= 1
	v := verifier.OTP(keys, verifier.KindAccount, verifier.KindDeviceTOTP, verifier.KindRecovery)
	_, rightErr := v.Verify(t.Context(), query(a, codes[0], noon))
	require.ErrorIs(t, rightErr, credential.ErrTampered)
	verdict, wrongErr := v.Verify(t.Context(), query(a, secret("no"), noon))
	require.Equal(t, rightErr.Error(), wrongErr.Error(), "the error does not tell whether the code is right")
	require.Len(t, verdict.Compared, 1)
	require.Equal(t, verifier.KindRecovery, verdict.Compared[0].Kind)
	require.ErrorIs(t, verdict.Compared[0].Err, credential.ErrTampered)
	require.Equal(t, verifier.StatusValid, verify(t, v, a, oneTime, noon).Status)
	require.Equal(t, verifier.StatusWrong, verify(t, v, a, otherOTP, noon).Status)
}

func TestVerdictKind(t *testing.T) {
	keys := ring(t, "k", "k")
	a, codes := recoverable(t, keys, 1)
	a.State.Codes = append(a.State.Codes, pending(t, keys, "c2", "sms", oneTime, noon.Add(1)))
	a.State.Spent = []credential.SpentProof{{ProofID: "code:c1"}}
	p := rfcTOTP()
	v := verifier.OTP(keys, verifier.KindAccount, "sms", verifier.KindDeviceTOTP, verifier.KindRecovery)
	for otp, want := range map[credential.Secret]string{
		secret(oneTime): "sms", codes[0]: verifier.KindRecovery, codeOf(t, p, p.Step(noon)): verifier.KindDeviceTOTP, secret("no"): "", secret(otherOTP): "",
	} {
		verdict, err := v.Verify(t.Context(), query(a, otp, noon))
		require.NoError(t, err)
		require.Equal(t, want, verdict.Kind())
	}
	require.Empty(t, verifier.Verdict{Status: verifier.StatusValid, ProofID: "host:1"}.Kind(), "a verifier that does not say")
}

func ExampleOTP_recovery() {
	keys, _ := credential.NewKeyring("k", credential.NewKey("k"))
	code := credential.NewRecoveryCode() // Issuer.ReplaceRecoveryCodes makes and keeps them
	a := credential.Account{ID: "alice"}
	_ = a.State.Recovery.Replace(keys, "alice", []credential.Secret{code}, noon)

	typed := credential.NewSecret(strings.ToUpper(strings.ReplaceAll(code.Reveal(), "-", " ")))
	v := verifier.OTP(keys, verifier.KindAccount, verifier.KindRecovery)
	verdict, err := v.Verify(context.Background(), verifier.NewQuery(a, credential.FactorOTP, typed, noon))
	fmt.Println(verdict.Status, verdict.Kind(), err)
	// Output: valid recovery <nil>
}
