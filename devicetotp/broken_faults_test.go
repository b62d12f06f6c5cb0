package devicetotp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// The bug class: one broken thing takes down its neighbours.

// worldKey is the one key of a devicetotptest.World.
func worldKey() credential.Key {
	return credential.Key{ID: "test", Secret: secret(strings.Repeat("k", credential.KeySize))}
}

// issuerUnder returns an Issuer of w's accounts with another keyring.
func issuerUnder(t *testing.T, w *devicetotptest.World, ring *credential.Keyring, configure ...func(*devicetotp.Config)) *devicetotp.Issuer {
	t.Helper()
	cfg := devicetotp.Config{
		Clock: w.Clock, Secrets: w.Secrets, Password: verifier.Password(w.Hasher), PIN: verifier.PIN(ring, w.Hasher),
	}
	for _, c := range configure {
		c(&cfg)
	}
	i, err := devicetotp.NewIssuer(w.Store, ring, cfg)
	require.NoError(t, err)
	return i
}

// change changes the stored State of acct.
func changeState(t *testing.T, w *devicetotptest.World, change func(*credential.State)) {
	t.Helper()
	a, err := w.Store.Accounts.Load(t.Context(), "acct")
	require.NoError(t, err)
	change(&a.State)
	require.NoError(t, w.Store.Accounts.Replace(t.Context(), a))
}

const brokenID = "00000000-0000-4000-8000-0000000000bb"

// breakages are what can be broken beside the household's good device: a device
// of the id brokenID, a one-time code of the kind sms, or the recovery codes.
var breakages = map[string]func(t *testing.T, h *household){
	"device under a key that is gone": func(t *testing.T, h *household) {
		_, err := issuerUnder(t, h.World, testKeys(t)).Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: brokenID, Password: secret("password")})
		require.NoError(t, err)
	},
	"device with an altered seal": func(t *testing.T, h *household) {
		breakDevice(t, h, func(d *credential.Device) { d.Sealed[len(d.Sealed)-1] ^= 1 })
	},
	"device with a torn seal": func(t *testing.T, h *household) {
		breakDevice(t, h, func(d *credential.Device) { d.Sealed = d.Sealed[:9] })
	},
	"device with a seal of another": func(t *testing.T, h *household) {
		breakDevice(t, h, func(d *credential.Device) { d.ID = brokenID[:35] + "c" })
	},
	"device with a secret too short": func(t *testing.T, h *household) {
		breakDevice(t, h, func(d *credential.Device) { sealAgain(t, h, d, "short") })
	},
	"recovery codes under a key that is gone": func(t *testing.T, h *household) {
		_, err := issuerUnder(t, h.World, testKeys(t)).ReplaceRecoveryCodes(t.Context(), devicetotp.RecoveryRequest{AccountID: "acct"})
		require.NoError(t, err)
	},
	"recovery codes with an altered seal": func(t *testing.T, h *household) {
		putRecoveryCodes(t, h.World)
		changeState(t, h.World, func(s *credential.State) { s.Recovery.Sealed[len(s.Recovery.Sealed)-1] ^= 1 })
	},
	"code under a key that is gone": func(t *testing.T, h *household) {
		i := issuerUnder(t, h.World, testKeys(t), twoKinds)
		_, err := i.AddCode(t.Context(), devicetotp.AddCodeRequest{AccountID: "acct", Kind: "sms", Code: secret("66666666"), TTL: devicetotp.MaxCodeTTL})
		require.NoError(t, err)
	},
	"code with no digest": func(t *testing.T, h *household) {
		_, err := h.Issuer.AddCode(t.Context(), devicetotp.AddCodeRequest{AccountID: "acct", Kind: "sms", Code: secret("66666666"), TTL: devicetotp.MaxCodeTTL})
		require.NoError(t, err)
		changeState(t, h.World, func(s *credential.State) {
			for i := range s.Codes {
				if s.Codes[i].Kind == "sms" {
					s.Codes[i].Digest = []byte("nonsense")
				}
			}
		})
	},
}

// breakDevice adds a device of the id brokenID and breaks it.
func breakDevice(t *testing.T, h *household, how func(*credential.Device)) {
	t.Helper()
	h.create(t, devicetotp.CreateRequest{DeviceID: brokenID, Password: secret("password")})
	changeState(t, h.World, func(s *credential.State) { how(&s.Devices[s.DeviceIndex(brokenID)]) })
}

// sealAgain seals another secret for the device, as whoever wrote it did.
func sealAgain(t *testing.T, h *household, d *credential.Device, value string) {
	t.Helper()
	var err error
	d.Sealed, err = h.Keys.Seal(credential.DeviceScope("acct", d), secret(value))
	require.NoError(t, err)
}

// Every door works beside every broken thing: what is good is good, and what is
// wrong is counted against what could be compared.
func TestEveryDoor_WorksBesideWhatIsBroken(t *testing.T) {
	create := func(r devicetotp.CreateRequest) func(*testing.T, *household) error {
		return func(t *testing.T, h *household) error {
			r := r
			if r.AccountID = "acct"; r.DeviceID == "" {
				r.DeviceID = deviceID
			}
			if r.OTP.Present() && r.OTP.Reveal() == "own" {
				r.OTP = h.code()
			}
			if r.OTP.Present() && r.OTP.Reveal() == "guess" {
				r.OTP = wrong6(h.Phone(h.device))
			}
			_, err := h.Issuer.Create(t.Context(), r)
			return err
		}
	}
	check := func(id string, right bool) func(*testing.T, *household) error {
		return func(t *testing.T, h *household) error {
			code := wrong6(h.Phone(h.device))
			if right {
				code = h.code()
			}
			_, err := verify(t, h.World, id, code)
			return err
		}
	}
	wrong := totperrors.CodeInvalidCredentials
	for name, breaks := range breakages {
		for _, d := range []struct {
			name string
			run  func(*testing.T, *household) error
			code devicetotp.Code
		}{
			{"verify, unnamed", check("", true), ""},
			{"verify, named", check(otherID(0), true), ""},
			{"verify a wrong code, unnamed", check("", false), wrong},
			{"verify a wrong code, named", check(otherID(0), false), wrong},
			{"create on a code of the good device", create(devicetotp.CreateRequest{OTP: secret("own")}), ""},
			{"create on a code that was sent", create(devicetotp.CreateRequest{OTP: secret(rightCode)}), ""},
			{"create with a wrong device code", create(devicetotp.CreateRequest{OTP: secret("guess")}), wrong},
			{"create with a wrong code that was never sent", create(devicetotp.CreateRequest{OTP: secret(wrongCode)}), wrong},
			{"create with a wrong OTP beside a right password", create(devicetotp.CreateRequest{OTP: secret("guess"), Password: secret("password")}), ""},
			{"create with a wrong OTP beside a right PIN", create(devicetotp.CreateRequest{OTP: secret(wrongCode), PIN: secret("8299")}), ""},
			{"create with a malformed OTP beside a right PIN", create(devicetotp.CreateRequest{OTP: secret("x"), PIN: secret("8299")}), ""},
			{"create again on a PIN", create(devicetotp.CreateRequest{DeviceID: otherID(0), PIN: secret("8299")}), ""},
			{"replace on a code that was sent", create(devicetotp.CreateRequest{DeviceID: otherID(0), OTP: secret(rightCode)}), ""},
		} {
			t.Run(name+"/"+d.name, func(t *testing.T) {
				h := newHousehold(t, twoKinds, withRecovery)
				breaks(t, h)
				err := d.run(t, h)
				require.Equal(t, d.code, devicetotp.CodeOf(err), "%v", err)
			})
		}
	}
}

// A stored hash of a form that this release does not know is no match; the other
// factors decide. Alone, it is a fault, and nothing is counted.
func TestCreate_AHashOfAnUnknownFormTakesDownOnlyItself(t *testing.T) {
	for name, hash := range map[string]string{
		"yescrypt": "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
		"LDAP":     "{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "nonsense": "nonsense", "too dear": "$argon2id$v=19$m=4194304,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	} {
		for _, c := range []struct {
			name    string
			broken  credential.Factor
			request devicetotp.CreateRequest
			code    devicetotp.Code
		}{
			{"password beside a right PIN", credential.FactorPassword, devicetotp.CreateRequest{Password: secret("password"), PIN: secret("8299")}, ""},
			{"password beside a right PIN and a wrong OTP", credential.FactorPassword, devicetotp.CreateRequest{OTP: secret(wrongCode), Password: secret("password"), PIN: secret("8299")}, ""},
			{"password alone", credential.FactorPassword, devicetotp.CreateRequest{Password: secret("password")}, totperrors.CodeInternal},
			{"PIN alone", credential.FactorPIN, devicetotp.CreateRequest{PIN: secret("8299")}, totperrors.CodeInternal},
			{"password beside a right OTP", credential.FactorPassword, devicetotp.CreateRequest{OTP: secret(rightCode), Password: secret("password")}, ""},
			{"PIN beside a right password", credential.FactorPIN, devicetotp.CreateRequest{Password: secret("password"), PIN: secret("8299")}, ""},
		} {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				h := newHousehold(t)
				update(h.World, func(a *credential.Account) {
					if c.broken == credential.FactorPassword {
						a.PasswordHash = hash
					} else {
						a.PINHash = hash
					}
				})
				c.request.AccountID, c.request.DeviceID = "acct", deviceID
				_, err := h.Issuer.Create(t.Context(), c.request)
				require.Equal(t, c.code, devicetotp.CodeOf(err), "%v", err)
				require.Zero(t, h.account.Stored().Attempts(c.broken).Failures, "nothing is counted against what was not compared")
			})
		}
	}
}

// One process with a wrong key: nothing opens, so it is a fault, and nobody is
// charged with a failure for it.
func TestEveryDoor_WhereNothingOpensNothingIsCounted(t *testing.T) {
	h := newHousehold(t)
	changeState(t, h.World, func(s *credential.State) { s.Codes = nil })
	i := issuerUnder(t, h.World, testKeys(t))
	before := withoutWrites(t, h.account.Stored().State)
	for _, code := range []credential.Secret{h.code(), wrong6(h.Phone(h.device))} {
		for _, id := range []string{"", otherID(0)} {
			_, err := i.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", DeviceID: id, Code: code})
			requireCode(t, totperrors.CodeInternal, err)
		}
		_, err := i.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, OTP: code})
		requireCode(t, totperrors.CodeInternal, err)
	}
	_, err := i.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, PIN: secret("8299")})
	requireCode(t, totperrors.CodeInternal, err)
	require.Equal(t, before, withoutWrites(t, h.account.Stored().State))
}

// The bug class: one secret in two rows, by an import or a merge. A code spends
// its step on every device that generates it, by whatever door it came.

// twins returns an account with two devices of one secret, otherID(0) and
// otherID(1), and one beside them.
func twins(t *testing.T) (w *devicetotptest.World, a *devicetotptest.Account, phone, third *devicetotptest.Phone) {
	t.Helper()
	w = devicetotptest.New(t)
	a = w.Account("acct").PIN("8299")
	for i := range 3 {
		if i < 2 {
			w.Secrets.Next(secret("twins-have-one-secret"[:20]), nil)
		}
		d, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(i), PIN: secret("8299")})
		require.NoError(t, err)
		if third = w.Phone(d); i == 0 {
			phone = third
		}
	}
	return w, a, phone, third
}

var twinDoors = map[string]func(t *testing.T, w *devicetotptest.World, code credential.Secret) error{
	"verify": func(t *testing.T, w *devicetotptest.World, code credential.Secret) error {
		_, err := verify(t, w, "", code)
		return err
	},
	"verify the first": func(t *testing.T, w *devicetotptest.World, code credential.Secret) error {
		_, err := verify(t, w, otherID(0), code)
		return err
	},
	"verify the second": func(t *testing.T, w *devicetotptest.World, code credential.Secret) error {
		_, err := verify(t, w, otherID(1), code)
		return err
	},
	"create": func(t *testing.T, w *devicetotptest.World, code credential.Secret) error {
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: code})
		return err
	},
}

func TestEveryDoor_ACodeOfTwoRowsIsAcceptedOnce(t *testing.T) {
	for firstName, first := range twinDoors {
		for secondName, second := range twinDoors {
			for drift := -1; drift <= 1; drift++ {
				w, a, phone, _ := twins(t)
				require.NoError(t, first(t, w, phone.Drifted(drift)), firstName)
				for older := -1; older <= drift; older++ {
					require.Error(t, second(t, w, phone.Drifted(older)), "%s, then %s: the step is spent, and what is older", firstName, secondName)
				}
				state := a.Stored().State
				require.Equal(t, state.Devices[0].LastStep, state.Devices[1].LastStep)
				require.Zero(t, state.Devices[2].LastStep)
				if drift < 1 {
					require.NoError(t, second(t, w, phone.Drifted(drift+1)), "the next code is good")
				}
			}
		}
	}
}

// The same where the twin is blocked while the code is accepted: its wait ends
// before the code does.
func TestEveryDoor_ACodeOfABlockedTwinIsSpentToo(t *testing.T) {
	for firstName, first := range twinDoors {
		if firstName == "verify the second" {
			continue // the one that is blocked
		}
		for secondName, second := range twinDoors {
			t.Run(firstName+"/"+secondName, func(t *testing.T) {
				w, _, phone, third := twins(t)
				for n := range 5 {
					if n == 4 { // so that nothing but the twin waits
						_, err := verify(t, w, otherID(2), third.Code())
						require.NoError(t, err)
					}
					_, err := verify(t, w, otherID(1), wrong6(phone))
					requireCode(t, totperrors.CodeInvalidCredentials, err)
				}
				_, err := verify(t, w, otherID(1), phone.Code())
				requireCode(t, totperrors.CodeTooManyAttempts, err)
				code := phone.Drifted(1)
				require.NoError(t, first(t, w, code))
				w.Clock.Advance(31 * time.Second) // the wait is over, and the code is that of now
				require.Error(t, second(t, w, code))
			})
		}
	}
}
