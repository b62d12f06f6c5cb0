package devicetotp_test

import (
	"bytes"
	"context"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// transcript gathers everything that could end up in a log.
type transcript struct{ bytes.Buffer }

// add writes v in every way that Go prints things.
func (t *transcript) add(values ...any) {
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(t, verb+"\n", v)
		}
		type wrapped struct {
			Exported   any
			unexported any
		}
		fmt.Fprintf(t, "%+v %#v\n", wrapped{Exported: v}, &wrapped{Exported: v})
		if _, hashes := v.(credential.Account); !hashes { // see the doc comment of Account
			fmt.Fprintf(t, "%+v %#v\n", wrapped{unexported: v}, &wrapped{unexported: v})
		}
		slog.New(slog.NewTextHandler(t, nil)).Info("text", "value", v)
		slog.New(slog.NewJSONHandler(t, nil)).Info("json", "value", v)
		if b, err := json.Marshal(v); err == nil {
			t.Write(b)
		}
		if err, ok := v.(error); ok {
			for ; err != nil; err = errors.Unwrap(err) {
				fmt.Fprintf(t, "%v %+v %#v\n", err, err, err)
			}
		}
	}
}

// encodings are the forms in which a value could show.
func encodings(value string) map[string]string {
	b := []byte(value)
	out := map[string]string{
		"raw": value, "hex": hex.EncodeToString(b), "HEX": strings.ToUpper(hex.EncodeToString(b)),
		"decimal":  strings.Trim(fmt.Sprint(b), "[]"),
		"Go bytes": strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", b), "[]byte{"), "}"),
		"base32":   strings.TrimRight(base32.StdEncoding.EncodeToString(b), "=")[:len(b)*8/5-1],
	}
	for shift := range 3 { // wherever the value stands in what was encoded
		padded := append(make([]byte, shift), b...)
		for name, e := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			text := e.EncodeToString(padded)
			out[fmt.Sprint(name, shift)] = text[(shift*8+5)/6+1 : len(text)-2]
		}
	}
	return out
}

const (
	leakPassword = "Sentinel-Passw0rd!"
	leakPIN      = "90210777"
	leakOTP      = "3141592653"
	leakSecret   = "sentinel/secret/20by"
	leakWrong    = "Wr0ng-but-private"
	leakImported = "sentinel/imported/20"
	leakRotated  = "sentinel/rotated/20b"
)

func TestNothingSecretIsPrinted(t *testing.T) {
	var log transcript
	w := devicetotptest.New(t, withRecovery, func(c *devicetotp.Config) {
		c.Observer = func(_ context.Context, e devicetotp.Event) { log.add(e) }
	})
	a := w.Account("acct").Password(leakPassword).PIN(leakPIN).OTP(leakOTP)
	hashes := []string{a.Stored().PasswordHash, a.Stored().PINHash}

	create := func(i *devicetotp.Issuer, r devicetotp.CreateRequest) devicetotp.DeviceTOTP {
		r.AccountID = "acct"
		d, err := i.Create(t.Context(), r)
		log.add(r, d, err)
		return d
	}
	wrong := devicetotp.CreateRequest{OTP: secret(leakWrong), Password: secret(leakWrong), PIN: secret(leakWrong)}
	create(w.Issuer, wrong)
	w.Secrets.Next(secret(leakSecret), nil)
	d := create(w.Issuer, devicetotp.CreateRequest{DeviceID: deviceID, OTP: secret(leakOTP), Password: secret(leakPassword), PIN: secret(leakPIN)})
	require.Equal(t, leakSecret, d.Secret.Reveal())
	create(w.Issuer, devicetotp.CreateRequest{DeviceID: deviceID, OTP: secret(leakOTP)}) // again
	create(w.Issuer, devicetotp.CreateRequest{OTP: secret(leakOTP)})                     // spent
	create(w.Issuer, devicetotp.CreateRequest{Password: secret(leakPassword)})
	create(w.Issuer, devicetotp.CreateRequest{DeviceID: deviceID, PIN: secret(leakPIN)}) // in use
	create(w.Issuer, devicetotp.CreateRequest{DeviceID: "not a UUID"})

	code := w.Phone(d).Code()
	for range 2 {
		r := devicetotp.VerifyRequest{AccountID: "acct", Code: code}
		m, err := w.Issuer.Verify(t.Context(), r)
		log.add(r, m, err)
	}
	for _, r := range []devicetotp.ProveRequest{
		{OTP: secret(leakWrong), Password: secret(leakWrong), PIN: secret(leakPIN)},
		{OTP: secret(leakOTP), Password: secret(leakPassword)}, {PIN: secret(leakPIN), Kinds: []string{leakOTP}},
	} {
		r.AccountID = "acct"
		proof, err := w.Issuer.Prove(t.Context(), r)
		log.add(proof, err)
		if r.Kinds == nil { // what a host puts there by mistake, it prints itself
			log.add(r)
		}
	}
	leakyRotations(t, w, &log)
	log.add(w.Issuer.Rename(t.Context(), devicetotp.RenameRequest{AccountID: "acct", DeviceID: deviceID, Name: leakPassword + "\n"}))
	log.add(w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: []string{leakPassword}}))
	c := devicetotp.AddCodeRequest{AccountID: "acct", Kind: verifier.KindAccount, Code: secret(leakOTP), TTL: time.Minute}
	log.add(c)
	log.add(w.Issuer.AddCode(t.Context(), c))
	c.Code = secret(leakWrong)
	log.add(c)
	log.add(w.Issuer.AddCode(t.Context(), c))
	swapped := devicetotp.AddCodeRequest{AccountID: "acct", Kind: leakOTP, Code: secret(verifier.KindAccount), TTL: time.Minute}
	log.add(w.Issuer.AddCode(t.Context(), swapped))
	log.add(w.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
	log.add(w.Issuer.Inspect(t.Context(), "acct"))
	log.add(w.Issuer.Reseal(t.Context(), "acct"))

	recovery := devicetotp.RecoveryRequest{AccountID: "acct", Count: 3}
	saved, err := w.Issuer.ReplaceRecoveryCodes(t.Context(), recovery)
	require.NoError(t, err)
	log.add(recovery, saved, saved[0])
	create(w.Issuer, devicetotp.CreateRequest{OTP: saved[0]})
	create(w.Issuer, devicetotp.CreateRequest{OTP: saved[0]}) // spent
	changeState(t, w, func(s *credential.State) { s.Recovery.Sealed[0] ^= 1 })
	create(w.Issuer, devicetotp.CreateRequest{OTP: saved[1]}) // does not open
	leakyHosts(t, w, create)
	a.PIN(leakPIN)
	stored := a.Stored()
	hashes = append(hashes, stored.PINHash)
	log.add(stored, stored.State, &stored, w.Keys, *w.Issuer, w.Issuer, w.Hasher, credential.NewKey("k"))
	for _, device := range stored.State.Devices {
		log.add(struct{ State credential.State }{credential.State{Devices: []credential.Device{device}}})
	}
	_, err = d.URI("bad:issuer", "acct")
	log.add(err)
	_, err = d.QRCode("Example", "acct", 8)
	log.add(err)
	_, err = d.URI(d.Base32()+":", "acct")
	log.add(err)

	text := log.String()
	require.Greater(t, len(text), 10_000)
	require.Contains(t, text, "invalid-credentials", "the transcript is of the operations")
	for _, value := range append(hashes, leakPassword, leakPIN, leakOTP, leakSecret, leakWrong, leakImported, leakRotated, strings.Repeat("k", credential.KeySize)) {
		for name, form := range encodings(value) {
			require.NotContains(t, text, form, "%q as %s", value, name)
		}
	}
	require.NotContains(t, text, `"`+code.Reveal()+`"`)
	for _, code := range saved {
		for _, spelt := range []string{code.Reveal(), strings.ReplaceAll(code.Reveal(), "-", "")} {
			for name, form := range encodings(spelt) {
				require.NotContains(t, text, form, "a recovery code as %s", name)
			}
		}
	}
}

// leakyRotations rotates the device, and imports others, rightly and wrongly.
func leakyRotations(t *testing.T, w *devicetotptest.World, log *transcript) {
	t.Helper()
	for _, r := range []devicetotp.RotateRequest{
		{DeviceID: deviceID, RotationID: rotationID(0), PIN: secret(leakPIN)}, {DeviceID: deviceID, RotationID: rotationID(0), PIN: secret(leakPIN)}, // again
		{DeviceID: deviceID, RotationID: rotationID(0), OTP: secret(leakWrong), PIN: secret(leakWrong)}, {DeviceID: deviceID, RotationID: rotationID(1), OTP: secret(leakWrong), PIN: secret(leakWrong)},
		{DeviceID: otherID(1), RotationID: rotationID(2), PIN: secret(leakPIN)},
	} {
		r.AccountID = "acct"
		w.Secrets.Next(secret(leakRotated), nil)
		d, err := w.Issuer.Rotate(t.Context(), r)
		log.add(r, d, err)
	}
	for _, change := range []func(*devicetotp.ImportRequest){
		func(*devicetotp.ImportRequest) {}, func(*devicetotp.ImportRequest) {},
		func(r *devicetotp.ImportRequest) { r.DeviceID = otherID(8) }, func(r *devicetotp.ImportRequest) { r.Digits = 7 },
		func(r *devicetotp.ImportRequest) { r.Secret = secret(leakImported + strings.Repeat("x", 109)) },
	} {
		r := importRequest()
		r.Secret = secret(leakImported)
		change(&r)
		imported, err := w.Issuer.Import(t.Context(), r)
		log.add(r, imported, err)
	}
	address := "otpauth://totp/Example:acct?digits=6&secret=" + devicetotp.DeviceTOTP{Secret: secret(leakImported)}.Base32()
	u, err := credential.ParseURI(address)
	require.NoError(t, err)
	log.add(u)
	for _, spoiled := range []string{address + "&secret=x", address + "1", address + "&algorithm=MD5", address + "&period=x", address + "%zz", "\x00" + address} {
		_, err := credential.ParseURI(spoiled)
		require.Error(t, err)
		log.add(err)
	}
}

// leakyHosts plugs in hosts that fail while they hold the value.
func leakyHosts(t *testing.T, w *devicetotptest.World, create func(*devicetotp.Issuer, devicetotp.CreateRequest) devicetotp.DeviceTOTP) {
	t.Helper()
	panicking := verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
		panic(q.Presented.Reveal()) // even the value itself
	})
	failing := verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
		return verifier.Verdict{}, fmt.Errorf("cannot check %v: %+v", q.Presented, q)
	})
	for _, v := range []verifier.Verifier{panicking, failing} {
		i, err := devicetotp.NewIssuer(w.Store, w.Keys, devicetotp.Config{Clock: w.Clock, OTP: v, Password: v, PIN: v})
		require.NoError(t, err)
		for _, r := range []devicetotp.CreateRequest{{OTP: secret(leakOTP)}, {Password: secret(leakPassword)}, {PIN: secret(leakPIN)}} {
			create(i, r)
		}
	}
	require.NoError(t, w.Store.Accounts.Update("acct", func(a *credential.Account) { a.PINHash = "$sealed$AAAA" }))
	create(w.Issuer, devicetotp.CreateRequest{PIN: secret(leakPIN)})
}

// The search itself finds what is there.
func TestTheLeakSearchFindsLeaks(t *testing.T) {
	for name, form := range encodings(leakPassword) {
		var log transcript
		b := []byte(leakPassword)
		log.add(leakPassword, b, struct{ hidden []byte }{b}, base32.StdEncoding.EncodeToString(b))
		for shift := range 3 {
			padded := append(append(make([]byte, shift), b...), 0)
			log.add(base64.StdEncoding.EncodeToString(padded), base64.URLEncoding.EncodeToString(padded))
		}
		require.Contains(t, log.String(), form, name)
	}
}
