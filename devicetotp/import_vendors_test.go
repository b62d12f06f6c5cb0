package devicetotp_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
)

// vendor is one service whose devices are imported: what it exports, in
// testdata/import, and where it publishes that shape.
type vendor struct {
	name, source string
	// read reads what the service exports, as the table of ImportRequest says.
	read func(t *testing.T, exported []byte) []devicetotp.ImportRequest
	// codes are the parameters with which the peer generates the codes that the
	// service accepts: the secret in base32, digits, seconds and algorithm.
	codes []peerDevice
}

type peerDevice struct {
	secret    string
	digits    otp.Digits
	period    uint
	algorithm otp.Algorithm
}

var vendors = []vendor{
	{
		"auth0", "https://auth0.com/docs/secure/multi-factor-authentication/authenticate-using-ropg-flow-with-mfa/import-user-mfa-authenticator-enrollments",
		readAuth0, []peerDevice{{"JBTWY3DPEHPK3PNP", 6, 30, otp.AlgorithmSHA1}},
	},
	{
		"kratos", "https://www.ory.sh/docs/kratos/manage-identities/import-user-accounts-identities (ory/docs, TOTP credentials)",
		readKratos, []peerDevice{{"JBSWY3DPEHPK3PXP", 6, 30, otp.AlgorithmSHA1}},
	},
	{
		"supertokens", "https://supertokens.com/docs/references/cdi/totp-recipe/importtotpdevice",
		readSuperTokens, []peerDevice{{"BSWY3DPEMOWNFUWJLDIWNDNDPONBIUFG", 6, 60, otp.AlgorithmSHA1}},
	},
	{
		"keycloak", "keycloak/keycloak, server-spi/src/main/java/org/keycloak/models/credential/OTPCredentialModel.java (getDecodedSecret)",
		readKeycloak, []peerDevice{
			{"IRFG2ULGIM3TGVSHIZUHON2EGRIUUOCB", 6, 30, otp.AlgorithmSHA1}, // the text itself, as apps were shown it
			{"ONSWG4TFOQWTEMBNMJ4XIZLTFYXC4LROFYXC4LROFYXC4LQ", 8, 60, otp.AlgorithmSHA256},
		},
	},
	{
		"stytch", "https://stytch.com/docs/b2b/api/totp-migrate",
		readStytch, []peerDevice{{"BTGNX5RKJRMQWQFRQKTG34JCF6XDRHZS", 6, 30, otp.AlgorithmSHA1}},
	},
	{
		"zitadel", "https://zitadel.com/docs/guides/migrate/users; zitadel/zitadel, internal/command/user_human_otp.go (ImportHumanTOTP)",
		readZitadel, []peerDevice{{"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 6, 30, otp.AlgorithmSHA1}},
	},
	{
		"hanko", "https://github.com/teamhanko/hanko/blob/main/backend/json_schema/hanko.user_import.json (ImportOTPSecret)",
		readHanko, []peerDevice{{"KRUGS4ZANFZSA5DIMUQGQYLONNXSA33O", 6, 30, otp.AlgorithmSHA1}},
	},
}

// What each service exports is imported, and the codes that the phone goes on
// generating, by another implementation, work.
func TestImport_OfEachService(t *testing.T) {
	files, err := filepath.Glob("testdata/import/*.json")
	require.NoError(t, err)
	require.Len(t, files, len(vendors), "a service for each file")
	for _, v := range vendors {
		t.Run(v.name, func(t *testing.T) {
			exported, err := os.ReadFile("testdata/import/" + v.name + ".json")
			require.NoError(t, err)
			require.NotEmpty(t, v.source)
			requests := v.read(t, exported)
			require.Len(t, requests, len(v.codes))
			w := devicetotptest.New(t)
			w.Account("acct")
			for i, r := range requests {
				r.AccountID, r.DeviceID = "acct", otherID(i)
				for _, there := range []bool{false, true} {
					got, err := w.Issuer.Import(t.Context(), r)
					require.NoError(t, err)
					require.Equal(t, there, got.AlreadyThere)
				}
				p := v.codes[i]
				code, err := totp.GenerateCodeCustom(p.secret, w.Clock.Now(), totp.ValidateOpts{Period: p.period, Digits: p.digits, Algorithm: p.algorithm})
				require.NoError(t, err)
				match, err := verify(t, w, "", secret(code))
				require.NoError(t, err)
				require.Equal(t, otherID(i), match.DeviceID)
				_, err = verify(t, w, "", secret(code))
				requireCode(t, devicetotp.CodeInvalidCredentials, err)
			}
		})
	}
}

func decode(t *testing.T, data []byte, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(data, into))
}

// usual is an import with the parameters of most services.
func usual(t *testing.T, base32 string) devicetotp.ImportRequest {
	t.Helper()
	value, err := credential.ParseBase32(base32)
	require.NoError(t, err)
	return devicetotp.ImportRequest{Secret: value, Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second}
}

func readAuth0(t *testing.T, exported []byte) (out []devicetotp.ImportRequest) {
	var users []struct {
		Factors []struct {
			TOTP *struct{ Secret string } `json:"totp"`
		} `json:"mfa_factors"`
	}
	decode(t, exported, &users)
	for _, u := range users {
		for _, f := range u.Factors {
			if f.TOTP != nil {
				out = append(out, usual(t, f.TOTP.Secret))
			}
		}
	}
	return out
}

func readKratos(t *testing.T, exported []byte) []devicetotp.ImportRequest {
	var identity struct {
		Credentials struct {
			TOTP struct {
				Config struct {
					URL string `json:"totp_url"`
				}
			}
		}
	}
	decode(t, exported, &identity)
	u, err := credential.ParseURI(identity.Credentials.TOTP.Config.URL)
	require.NoError(t, err)
	require.Equal(t, []string{"MyApp", "docs-totp@example.org"}, []string{u.Issuer, u.Account})
	return []devicetotp.ImportRequest{{Secret: u.Secret, Algorithm: u.Algorithm, Digits: u.Digits, Period: u.Period}}
}

func readSuperTokens(t *testing.T, exported []byte) []devicetotp.ImportRequest {
	var device struct {
		DeviceName, SecretKey string
		Period                int
	}
	decode(t, exported, &device)
	r := usual(t, device.SecretKey)
	r.Name, r.Period = device.DeviceName, time.Duration(device.Period)*time.Second
	return []devicetotp.ImportRequest{r}
}

func readKeycloak(t *testing.T, exported []byte) (out []devicetotp.ImportRequest) {
	var user struct {
		Credentials []struct{ Type, UserLabel, SecretData, CredentialData string }
	}
	decode(t, exported, &user)
	for _, c := range user.Credentials {
		if c.Type != "otp" {
			continue
		}
		var kept struct{ Value string }
		var parameters struct {
			SubType, Algorithm, SecretEncoding string
			Digits, Period                     int
		}
		decode(t, []byte(c.SecretData), &kept)
		decode(t, []byte(c.CredentialData), &parameters)
		require.Equal(t, "totp", parameters.SubType)
		r := devicetotp.ImportRequest{Name: c.UserLabel, Digits: parameters.Digits, Period: time.Duration(parameters.Period) * time.Second}
		var err error
		r.Algorithm, err = credential.ParseAlgorithm(parameters.Algorithm)
		require.NoError(t, err)
		r.Secret = credential.NewSecret(kept.Value)
		if parameters.SecretEncoding == "BASE32" {
			r.Secret, err = credential.ParseBase32(kept.Value)
			require.NoError(t, err)
		}
		out = append(out, r)
	}
	return out
}

func readStytch(t *testing.T, exported []byte) []devicetotp.ImportRequest {
	var member struct {
		Secret        string
		RecoveryCodes []string `json:"recovery_codes"`
	}
	decode(t, exported, &member)
	require.NotEmpty(t, member.RecoveryCodes, "which are not read")
	return []devicetotp.ImportRequest{usual(t, member.Secret)}
}

func readZitadel(t *testing.T, exported []byte) []devicetotp.ImportRequest {
	var user struct{ OTPCode string }
	decode(t, exported, &user)
	return []devicetotp.ImportRequest{usual(t, user.OTPCode)}
}

func readHanko(t *testing.T, exported []byte) (out []devicetotp.ImportRequest) {
	var users []struct {
		OTPSecret *struct{ Secret string } `json:"otp_secret"`
	}
	decode(t, exported, &users)
	for _, u := range users {
		if u.OTPSecret != nil {
			out = append(out, usual(t, u.OTPSecret.Secret))
		}
	}
	return out
}

// The rarest parameters: secrets of 10 and 128 bytes, periods of 10 and 300 s, 8
// and 10 digits, every algorithm, by the peer's codes.
func TestImport_OfRareParameters(t *testing.T) {
	for algorithm, peer := range map[credential.Algorithm]otp.Algorithm{
		credential.AlgorithmSHA1: otp.AlgorithmSHA1, credential.AlgorithmSHA256: otp.AlgorithmSHA256, credential.AlgorithmSHA512: otp.AlgorithmSHA512,
	} {
		for _, size := range []int{10, 128} {
			for _, seconds := range []int{10, 300} {
				for _, digits := range []int{8, 10} {
					t.Run(fmt.Sprint(algorithm, size, seconds, digits), func(t *testing.T) {
						w := devicetotptest.New(t)
						w.Account("acct")
						raw := make([]byte, size)
						for i := range raw {
							raw[i] = byte(i + 1)
						}
						d := devicetotp.DeviceTOTP{Secret: secret(string(raw)), Algorithm: algorithm, Digits: digits, Period: time.Duration(seconds) * time.Second}
						_, err := w.Issuer.Import(t.Context(), devicetotp.ImportRequest{
							AccountID: "acct", DeviceID: deviceID, Secret: d.Secret, Algorithm: d.Algorithm, Digits: d.Digits, Period: d.Period,
						})
						require.NoError(t, err)
						code, err := totp.GenerateCodeCustom(d.Base32(), w.Clock.Now(), totp.ValidateOpts{Period: uint(seconds), Digits: otp.Digits(digits), Algorithm: peer})
						require.NoError(t, err)
						_, err = verify(t, w, "", secret(code))
						require.NoError(t, err)
					})
				}
			}
		}
	}
}
