package devicetotptest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

func verifyPhone(t *testing.T, i *devicetotp.Issuer, p *devicetotptest.Phone) error {
	t.Helper()
	match, err := i.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "a", DeviceID: p.DeviceID, Code: p.Code()})
	if err == nil {
		require.Equal(t, p.DeviceID, match.DeviceID)
	}
	return err
}

// A device that was put on an account is one in use: named, of its age, not
// evicted and not given again, and its phone's code is good at once.
func TestADeviceThatIsInUse(t *testing.T) {
	for _, age := range []time.Duration{0, time.Second, time.Minute, 400 * 24 * time.Hour} {
		w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) {
			p.Digits, p.Algorithm, p.Period, p.MaxDevices = 8, credential.AlgorithmSHA256, time.Minute, 2
		}))
		a := w.Account("a").Password("password")
		phone, other := a.Device("Alice's old phone", age), a.Device("", age)
		require.NotEqual(t, phone.DeviceID, other.DeviceID)
		require.NotEqual(t, phone.Code().Reveal(), other.Code().Reveal())
		require.Len(t, phone.Code().Reveal(), 8)
		d := a.Stored().State.Devices[0]
		require.Equal(t, "Alice's old phone", d.Name)
		require.Equal(t, w.Clock.Now().Add(-age), d.CreatedAt)
		require.Equal(t, credential.BasisPassword, d.Basis)
		require.Positive(t, d.LastStep)
		require.Empty(t, w.Events())
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "a", Password: credential.NewSecret("password")})
		require.Equal(t, devicetotp.CodeDeviceLimitReached, devicetotp.CodeOf(err))
		_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "a", DeviceID: phone.DeviceID, Password: credential.NewSecret("password")})
		require.Equal(t, devicetotp.CodeIDInUse, devicetotp.CodeOf(err))
		require.NoError(t, verifyPhone(t, w.Issuer, phone))
		require.NoError(t, verifyPhone(t, w.Issuer, other))
	}
}

func TestAnImportedDevice(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("a")
	phone := a.Imported("", devicetotp.DeviceTOTP{
		ID: "738e379f-fe30-45ab-819c-ba88804b6368", Secret: credential.NewSecret("0123456789"), Algorithm: credential.AlgorithmSHA512, Digits: 10, Period: 300 * time.Second,
	})
	require.Equal(t, "738e379f-fe30-45ab-819c-ba88804b6368", phone.DeviceID)
	require.Equal(t, credential.BasisImported, a.Stored().State.Devices[0].Basis)
	require.NoError(t, verifyPhone(t, w.Issuer, phone))
	require.Contains(t, failing(func(tb testing.TB) {
		a := devicetotptest.New(tb).Account("a")
		a.Imported("", withID(issued))
		a.Imported("", withID(issued))
	}), "has a device")
}

func withID(d devicetotp.DeviceTOTP) devicetotp.DeviceTOTP {
	d.ID = "738e379f-fe30-45ab-819c-ba88804b6368"
	return d
}

func TestRecoveryCodesOfAnAccount(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("a")
	require.Len(t, a.RecoveryCodes(3), 3)
	require.Equal(t, 3, a.Stored().State.Recovery.Left)
	require.Contains(t, failing(func(tb testing.TB) { devicetotptest.New(tb).Account("a").RecoveryCodes(21) }), "replacing recovery codes")
}

// An old process opens what it sealed, and not what the new key seals; without the
// old key, the new one does not open what the old one sealed.
func TestKeysThatAreRolled(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("a").PIN("8299")
	old, before := w.Issuer, a.Device("before", time.Hour)
	w.RollKey("next")
	require.Equal(t, []string{"test", "next"}, w.Keys.IDs())
	require.Equal(t, "next", w.Keys.PrimaryID())
	after := a.Device("after", time.Hour)
	require.NoError(t, verifyPhone(t, w.Issuer, after))
	require.ErrorIs(t, verifyPhone(t, old, after), credential.ErrMissingKey)
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "a", PIN: credential.NewSecret("8299")})
	require.NoError(t, err, "a PIN under the old key")

	w.DropKey("test")
	require.ErrorIs(t, verifyPhone(t, w.Issuer, before), credential.ErrMissingKey)
	require.NoError(t, verifyPhone(t, old, before))
	require.Len(t, w.Events(), 5, "all Issuers tell the world")
	require.Contains(t, failing(func(tb testing.TB) { devicetotptest.New(tb).DropKey("test") }), "keyring")
	require.Contains(t, failing(func(tb testing.TB) { devicetotptest.New(tb).RollKey("test") }), "keyring")
}

// Another process shares the store and the configuration, and may differ.
func TestIssuersOnOneStore(t *testing.T) {
	told := 0
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.GraceDevices = 1 }), func(c *devicetotp.Config) {
		c.Observer = func(context.Context, devicetotp.Event) { told++ }
	})
	w.Account("a").RegisteredAgo(0)
	other := w.NewIssuer()
	strict := w.NewIssuer(devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.OTPKinds = []string{verifier.KindAccount} }))
	d, err := other.Create(t.Context(), devicetotp.CreateRequest{AccountID: "a"})
	require.NoError(t, err)
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "a"})
	require.Equal(t, devicetotp.CodeCredentialsRequired, devicetotp.CodeOf(err), "one device on grace, whoever gave it")
	_, err = strict.Create(t.Context(), devicetotp.CreateRequest{AccountID: "a", OTP: w.Phone(d).Code()})
	require.Equal(t, devicetotp.CodeInvalidCredentials, devicetotp.CodeOf(err), "it takes no codes of devices")
	require.Len(t, w.Events(), 3)
	require.Equal(t, 3, told)
	require.Contains(t, failing(func(tb testing.TB) {
		devicetotptest.New(tb).NewIssuer(devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.Digits = 1 }))
	}), "Config.Policy.Digits")
}
