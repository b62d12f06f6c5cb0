package devicetotp_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

const smsCode = "22222222"

// proveWorld has the account acct with everything that can be proved: a password,
// a PIN, a code of each of two kinds, a spent code of the first kind, a device
// that was made on the PIN, and one that rests on grace.
func proveWorld(t *testing.T, configure ...func(*devicetotp.Config)) (w *devicetotptest.World, a *devicetotptest.Account, proved, onGrace devicetotp.DeviceTOTP) {
	t.Helper()
	w = devicetotptest.New(t, append([]func(*devicetotp.Config){twoKinds}, configure...)...)
	a = w.Account("acct").RegisteredAgo(time.Minute).PIN("8299").Password("password")
	var err error
	onGrace, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(1)})
	require.NoError(t, err)
	proved, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(0), PIN: secret("8299")})
	require.NoError(t, err)
	a.OTP(rightCode)
	_, err = w.Issuer.AddCode(t.Context(), devicetotp.AddCodeRequest{AccountID: "acct", Kind: "sms", Code: secret(smsCode), TTL: 5 * time.Minute})
	require.NoError(t, err)
	return w, a, proved, onGrace
}

func prove(t *testing.T, w *devicetotptest.World, r devicetotp.ProveRequest) (devicetotp.Proof, error) {
	t.Helper()
	if r.AccountID == "" {
		r.AccountID = "acct"
	}
	return w.Issuer.Prove(t.Context(), r)
}

// proveRow is one request: what is presented as OTP, password and PIN ("" for
// nothing), the kinds it names, and the account it is for.
type proveRow struct {
	otp, password, pin string
	kinds              []string
	account            string
}

// proveWant is what must come of it, with the failures that it adds.
type proveWant struct {
	code                             devicetotp.Code
	proof                            devicetotp.Proof
	otp, password, pin               int
	account, sms, device, graceOwned int
	saves                            bool
}

// oracle states the rules of Prove once more, independently: from the words of
// the row, and not from what the library stores.
func (r proveRow) oracle() (want proveWant) {
	switch {
	case r.account == "locked":
		return proveWant{code: devicetotp.CodeAccountLocked}
	case r.otp == "" && r.password == "" && r.pin == "":
		return proveWant{code: devicetotp.CodeCredentialsRequired}
	}
	want.saves = r.account != "unknown"
	names := func(kind string) bool { return r.kinds == nil || slices.Contains(r.kinds, kind) }
	if r.otp != "" {
		valid := map[string]devicetotp.Proof{
			"right account": {Kind: "account"},
			"right sms":     {Kind: "sms"},
			"right device":  {Kind: "device-totp", DeviceID: otherID(0)},
			"right grace":   {Kind: "device-totp", DeviceID: otherID(1), RestsOnGrace: true},
		}
		if proof, ok := valid[r.otp]; ok && names(proof.Kind) && want.saves {
			proof.Basis = credential.BasisOTP
			want.proof = proof
			return want
		}
		want.otp = 1
		if r.otp != "empty" { // nothing is compared with an empty value
			want.account, want.sms = oneIf(names("account")), oneIf(names("sms"))
			if r.otp == "right grace" || r.otp == "right device" || r.otp == "wrong of six" {
				want.device, want.graceOwned = oneIf(names("device-totp")), oneIf(names("device-totp"))
			}
		}
	}
	if r.password != "" {
		if r.password == "right" && want.saves {
			want.proof.Basis = credential.BasisPassword
			return want
		}
		want.password = 1
	}
	if r.pin != "" {
		if r.pin == "right" && want.saves {
			want.proof.Basis = credential.BasisPIN
			return want
		}
		want.pin = 1
	}
	want.code = devicetotp.CodeInvalidCredentials
	return want
}

func oneIf(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func TestProve_TruthTable(t *testing.T) {
	w, a, proved, onGrace := proveWorld(t)
	otps := map[string]credential.Secret{
		"": {}, "empty": secret(""), "right account": secret(rightCode), "right sms": secret(smsCode),
		"right device": w.Phone(proved).Code(), "right grace": w.Phone(onGrace).Code(),
		"wrong of eight": secret(wrongCode), "wrong of six": wrong6(w.Phone(proved), w.Phone(onGrace)),
	}
	passwords := map[string]credential.Secret{"": {}, "empty": secret(""), "right": secret("password"), "wrong": secret("no")}
	pins := map[string]credential.Secret{"": {}, "empty": secret(""), "right": secret("8299"), "wrong": secret("0000")}
	before := a.Stored()
	rows := 0
	for _, account := range []string{"acct", "locked", "unknown"} {
		for _, kinds := range [][]string{nil, {"account"}, {"sms"}, {"device-totp"}, {"sms", "account"}} {
			for otp := range otps {
				for password := range passwords {
					for pin := range pins {
						rows++
						row := proveRow{otp, password, pin, kinds, account}
						start := before
						start.Locked = account == "locked"
						require.NoError(t, w.Store.Accounts.Replace(t.Context(), start))
						r := devicetotp.ProveRequest{OTP: otps[otp], Password: passwords[password], PIN: pins[pin], Kinds: kinds}
						if account == "unknown" {
							r.AccountID = "unknown"
						}
						requireProveRow(t, w, row, r, start)
					}
				}
			}
		}
	}
	require.Equal(t, 3*5*8*4*4, rows)
}

func requireProveRow(t *testing.T, w *devicetotptest.World, row proveRow, r devicetotp.ProveRequest, before credential.Account) {
	t.Helper()
	want, what := row.oracle(), fmt.Sprintf("%+v", row)
	proof, err := prove(t, w, r)
	require.Equal(t, want.code, devicetotp.CodeOf(err), what)
	require.Equal(t, want.proof, proof, what)
	after, err := w.Store.Accounts.Load(t.Context(), "acct")
	require.NoError(t, err)
	require.Equal(t, want.saves, after.Version != before.Version, "%s: saved", what)
	require.Equal(t, len(before.State.Devices), len(after.State.Devices), "%s: no device is made", what)
	event := w.Events()[len(w.Events())-1]
	require.Equal(t, devicetotp.OpProve, event.Op)
	require.Equal(t, [4]any{want.code, proof.Basis, proof.DeviceID, proof.RestsOnGrace}, [4]any{event.Code, event.Basis, event.DeviceID, event.RestsOnGrace}, what)
	for _, f := range event.Factors {
		require.Equal(t, proof.Kind != "" && f.Factor == credential.FactorOTP, f.Kind != "", what)
	}
	if row.account == "unknown" {
		return // nothing is stored of it
	}
	s := &after.State
	require.Equal(t, []int{want.otp, want.password, want.pin, want.account, want.sms, want.device, want.graceOwned}, []int{
		s.OTP.Failures, s.Password.Failures, s.PIN.Failures, s.KindAttempts("account").Failures, s.KindAttempts("sms").Failures,
		s.Devices[s.DeviceIndex(otherID(0))].Attempts.Failures, s.Devices[s.DeviceIndex(otherID(1))].Attempts.Failures,
	}, what)
	if proof.Basis != credential.BasisOTP {
		return
	}
	_, err = prove(t, w, r) // it is spent: the rest decides
	switch {
	case row.password == "right" || row.pin == "right":
		require.NoError(t, err, what)
	default:
		requireCode(t, devicetotp.CodeInvalidCredentials, err)
	}
	create := devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, OTP: r.OTP}
	_, err = w.Issuer.Create(t.Context(), create)
	requireCode(t, devicetotp.CodeInvalidCredentials, err)
}

// An OTP of a kind that the request does not name stays good.
func TestProve_AnOTPOfAnotherKindStaysGood(t *testing.T) {
	w, _, proved, _ := proveWorld(t)
	otps := map[string]credential.Secret{"account": secret(rightCode), "sms": secret(smsCode), "device-totp": w.Phone(proved).Code()}
	for kind, otp := range otps {
		for other := range otps {
			if other != kind {
				_, err := prove(t, w, devicetotp.ProveRequest{OTP: otp, Kinds: []string{other}})
				require.Equal(t, devicetotp.CodeInvalidCredentials, devicetotp.CodeOf(err))
				require.NoError(t, unblockIfKnown(w, "acct"))
			}
		}
		proof, err := prove(t, w, devicetotp.ProveRequest{OTP: otp, Kinds: []string{kind}})
		require.NoError(t, err)
		require.Equal(t, kind, proof.Kind)
	}
}

func TestProve_KindsMustBeThoseOfThePolicy(t *testing.T) {
	w, a, _, _ := proveWorld(t)
	before := a.Stored()
	for _, kinds := range [][]string{{"email"}, {""}, {"sms", "8299"}, {"SMS"}} {
		_, err := prove(t, w, devicetotp.ProveRequest{PIN: secret("8299"), Kinds: kinds})
		e := requireCode(t, devicetotp.CodeInvalidArgument, err)
		require.Equal(t, "Kinds", e.Field)
		require.NotContains(t, e.Error(), "8299", "what was put there by mistake may be a code")
	}
	require.Equal(t, before, a.Stored())
	_, err := prove(t, w, devicetotp.ProveRequest{PIN: secret("8299"), Kinds: []string{"sms", "sms"}})
	require.NoError(t, err)
}

// A kind that is blocked is refused with its wait; the others are not concerned.
func TestProve_ABlockedKindIsBlockedForThoseWhoNameIt(t *testing.T) {
	w, _, proved, onGrace := proveWorld(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) {
		p.OTP.BackoffFrom = 80 // out of the way
	}))
	for range 5 {
		_, err := prove(t, w, devicetotp.ProveRequest{OTP: secret(wrongCode), Kinds: []string{"sms"}})
		requireCode(t, devicetotp.CodeInvalidCredentials, err)
	}
	six := wrong6(w.Phone(proved), w.Phone(onGrace))
	for _, otp := range []credential.Secret{secret(smsCode), six} { // whether or not a device could generate it
		_, err := prove(t, w, devicetotp.ProveRequest{OTP: otp, Kinds: []string{"sms"}})
		require.Equal(t, 30*time.Second, requireCode(t, devicetotp.CodeTooManyAttempts, err).RetryAfter)
	}
	for range 5 {
		_, err := prove(t, w, devicetotp.ProveRequest{OTP: six, Kinds: []string{verifier.KindDeviceTOTP}})
		requireCode(t, devicetotp.CodeInvalidCredentials, err)
	}
	_, err := prove(t, w, devicetotp.ProveRequest{OTP: w.Phone(proved).Code(), Kinds: []string{verifier.KindDeviceTOTP}})
	require.Equal(t, 30*time.Second, requireCode(t, devicetotp.CodeTooManyAttempts, err).RetryAfter)
	_, err = prove(t, w, devicetotp.ProveRequest{OTP: secret(smsCode)})
	requireCode(t, devicetotp.CodeInvalidCredentials, err)
	proof, err := prove(t, w, devicetotp.ProveRequest{OTP: secret(rightCode), Kinds: []string{"account"}})
	require.NoError(t, err)
	require.Equal(t, "account", proof.Kind)
}

// A verifier of the host's own that does not say what is right proves no kind.
func TestProve_KindsHoldForAVerifierOfTheHostsOwn(t *testing.T) {
	var asked verifier.Query
	answer := verifier.Verdict{Status: verifier.StatusValid, ProofID: "host:1", Until: devicetotptest.Start.Add(time.Hour)}
	right := func(kind string) []verifier.Compared {
		return []verifier.Compared{{CodeID: "1", Kind: kind, Right: true}, {CodeID: "2", Kind: "email"}}
	}
	for _, c := range []struct {
		name     string
		compared []verifier.Compared
		kinds    []string
		code     devicetotp.Code
		kind     string
		counted  map[string]int
	}{
		{"says nothing, any kind", nil, nil, "", "", nil},
		{"says nothing, one kind", nil, []string{"sms"}, devicetotp.CodeInvalidCredentials, "", map[string]int{"": 1}},
		{"the kind", right("sms"), []string{"sms"}, "", "sms", nil},
		{"another kind", right("account"), []string{"sms"}, devicetotp.CodeInvalidCredentials, "", map[string]int{"account": 0, "email": 0, "": 0}},
		{"another kind that was wrong", right("account"), []string{"sms", "email"}, devicetotp.CodeInvalidCredentials, "", map[string]int{"account": 0, "email": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, a, _, _ := proveWorld(t, func(cfg *devicetotp.Config) {
				cfg.Policy.OTPKinds = append(cfg.Policy.OTPKinds, "email")
				cfg.OTP = verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
					asked = q
					v := answer
					v.Compared = c.compared
					return v, nil
				})
			})
			proof, err := prove(t, w, devicetotp.ProveRequest{OTP: secret("letmein"), Kinds: c.kinds})
			require.Equal(t, c.code, devicetotp.CodeOf(err))
			require.Equal(t, c.kind, proof.Kind)
			require.Equal(t, c.kinds, asked.Kinds)
			state := a.Stored().State
			for kind, failures := range c.counted {
				require.Equal(t, failures, state.KindAttempts(kind).Failures, kind)
			}
			require.Equal(t, oneIf(c.code == ""), len(state.Spent))
		})
	}
}

// The refusals are the same whatever the reason, and as much is hashed.
func TestProve_RefusalsAreTheSame(t *testing.T) {
	asked := 0
	w := devicetotptest.New(t, twoKinds, func(c *devicetotp.Config) {
		c.Password, c.PIN = counting(&asked, c.Password), counting(&asked, c.PIN)
	})
	w.Account("expired").PIN("8299").OTP(rightCode)
	w.Clock.Advance(5 * time.Minute)
	w.Account("set").PIN("8299").Password("password").OTP("22222222")
	w.Account("unset")
	w.Account("spent").Password("password").OTP(rightCode)
	_, err := prove(t, w, devicetotp.ProveRequest{AccountID: "spent", OTP: secret(rightCode)})
	require.NoError(t, err)
	w.Clock.Advance(time.Minute) // what was spent has not expired

	otp := map[string]devicetotp.Result{}
	for name, c := range map[string]struct {
		want    string // the error, and how many values are hashed
		present func(v credential.Secret) devicetotp.ProveRequest
	}{
		"all": {"invalid-credentials 2", func(v credential.Secret) devicetotp.ProveRequest {
			return devicetotp.ProveRequest{OTP: v, Password: v, PIN: v}
		}},
		"OTP":      {"OTP: invalid-credentials 0", func(v credential.Secret) devicetotp.ProveRequest { return devicetotp.ProveRequest{OTP: v} }},
		"password": {"Password: invalid-credentials 1", func(v credential.Secret) devicetotp.ProveRequest { return devicetotp.ProveRequest{Password: v} }},
		"PIN":      {"PIN: invalid-credentials 1", func(v credential.Secret) devicetotp.ProveRequest { return devicetotp.ProveRequest{PIN: v} }},
	} {
		seen := map[string]bool{}
		for _, account := range []string{"set", "unset", "expired", "spent", "unknown"} {
			for _, value := range []string{"0000", rightCode} {
				asked = 0
				r := c.present(secret(value))
				r.AccountID, r.Kinds = account, []string{verifier.KindAccount}
				_, err := prove(t, w, r)
				require.ErrorIs(t, err, devicetotp.ErrDenied)
				seen[fmt.Sprint(err, asked)] = true
				if name == "OTP" {
					otp[account] = w.Events()[len(w.Events())-1].Factors[0].Result
				}
				require.NoError(t, unblockIfKnown(w, account))
			}
		}
		require.Equal(t, map[string]bool{"devicetotp: prove: " + c.want: true}, seen, name)
	}
	require.Equal(t, devicetotp.ResultSpent, otp["spent"], "the Event tells the operator")
	require.Equal(t, devicetotp.ResultWrong, otp["expired"])
}

// An OTP that could not be remembered as spent is not looked at. What else is
// presented decides.
func TestProve_WithoutRoomForAProof(t *testing.T) {
	w, a, _, _ := proveWorld(t)
	fillSpent(t, w, 2*time.Minute)
	before := a.Stored()
	_, err := prove(t, w, devicetotp.ProveRequest{OTP: secret(rightCode)})
	require.Equal(t, 2*time.Minute+1, requireCode(t, devicetotp.CodeTooManyAttempts, err).RetryAfter)
	require.Equal(t, before, a.Stored(), "nothing was looked at")
	proof, err := prove(t, w, devicetotp.ProveRequest{OTP: secret(rightCode), PIN: secret("8299")})
	require.NoError(t, err)
	require.Equal(t, credential.BasisPIN, proof.Basis)
	w.Clock.Advance(2*time.Minute + 1)
	proof, err = prove(t, w, devicetotp.ProveRequest{OTP: secret(rightCode)})
	require.NoError(t, err)
	require.Equal(t, "account", proof.Kind)
}

// A success resets what it proved, and nothing else.
func TestProve_ASuccessResetsWhatItProved(t *testing.T) {
	w, a, _, _ := proveWorld(t)
	for range 3 {
		_, err := prove(t, w, devicetotp.ProveRequest{OTP: secret(wrongCode), Password: secret("no"), PIN: secret("0000")})
		requireCode(t, devicetotp.CodeInvalidCredentials, err)
	}
	failures := func() []int {
		s := a.Stored().State
		return []int{s.OTP.Failures, s.KindAttempts("account").Failures, s.KindAttempts("sms").Failures, s.Password.Failures, s.PIN.Failures}
	}
	require.Equal(t, []int{3, 3, 3, 3, 3}, failures())
	for _, c := range []struct {
		r    devicetotp.ProveRequest
		want []int
	}{
		{devicetotp.ProveRequest{Password: secret("password")}, []int{3, 3, 3, 0, 3}},
		{devicetotp.ProveRequest{OTP: secret(smsCode)}, []int{0, 3, 0, 0, 3}},
		{devicetotp.ProveRequest{PIN: secret("8299")}, []int{0, 3, 0, 0, 0}},
	} {
		_, err := prove(t, w, c.r)
		require.NoError(t, err)
		require.Equal(t, c.want, failures())
	}
}

func TestProve_OffersANewHashOnceOneIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		offered := 0
		w := devicetotptest.New(t, func(c *devicetotp.Config) {
			c.Password = verifier.Password(dearHasher(t))
			c.OnRehash = func(context.Context, string, credential.Factor, string, string) error { offered++; return nil }
		})
		w.Account("acct").Password("password")
		_, err := prove(t, w, devicetotp.ProveRequest{Password: secret("no")})
		require.Error(t, err)
		synctest.Wait()
		require.Zero(t, offered)
		_, err = prove(t, w, devicetotp.ProveRequest{Password: secret("password")})
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, 1, offered)
	})
}

// One OTP presented to Prove, to Create and to Verify at once, in several
// processes, counts once.
func TestProve_AnOTPIsSpentOnce(t *testing.T) {
	w := devicetotptest.New(t)
	all := issuers(t, w, 4)
	for round := range 20 {
		a, devices := enrol(t, w, "acct", 1)
		a.OTP(rightCode)
		for name, otp := range map[string]credential.Secret{"a one-time code": secret(rightCode), "a device's code": w.Phone(devices[0]).Code()} {
			require.NoError(t, unblockIfKnown(w, "acct"))
			codes := together(24, func(n int) (err error) {
				i := all[n%len(all)]
				switch n % 3 {
				case 0:
					_, err = i.Create(context.Background(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(100 + n), OTP: otp})
				case 1:
					_, err = i.Verify(context.Background(), devicetotp.VerifyRequest{AccountID: "acct", Code: otp})
				default:
					_, err = i.Prove(context.Background(), devicetotp.ProveRequest{AccountID: "acct", OTP: otp})
				}
				return err
			})
			require.LessOrEqual(t, codes[""], 1, "round %d, %s: %v", round, name, codes)
			require.Equal(t, 24, codes[""]+codes[devicetotp.CodeInvalidCredentials]+codes[devicetotp.CodeTooManyAttempts]+codes[devicetotp.CodeUnavailable], "%v", codes)
			require.Positive(t, codes[""]+codes[devicetotp.CodeInvalidCredentials], "%v", codes)
			if name == "a device's code" {
				require.Equal(t, 1, codes[""], "round %d: %v", round, codes)
			}
		}
	}
}

// Wrong PINs to Prove and to Create at once get five verdicts in all.
func TestProve_SharesTheCountersOfCreate(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct").PIN("8299")
	all := issuers(t, w, 3)
	codes := together(60, func(n int) (err error) {
		i := all[n%len(all)]
		if n%2 == 0 {
			_, err = i.Prove(context.Background(), devicetotp.ProveRequest{AccountID: "acct", PIN: secret("0000")})
		} else {
			_, err = i.Create(context.Background(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("0000")})
		}
		return err
	})
	require.Equal(t, 5, codes[devicetotp.CodeInvalidCredentials], "%v", codes)
	require.Equal(t, 5, a.Stored().State.PIN.Failures)
	_, err := prove(t, w, devicetotp.ProveRequest{PIN: secret("8299")})
	require.Equal(t, 30*time.Second, requireCode(t, devicetotp.CodeTooManyAttempts, err).RetryAfter)
}

// A host that changes the PIN or locks the account while Prove hashes is seen.
func TestProve_AChangeWhileHashingIsSeen(t *testing.T) {
	for code, change := range map[devicetotp.Code]func(*devicetotptest.World){
		devicetotp.CodeInvalidCredentials: func(w *devicetotptest.World) { update(w, func(a *credential.Account) { a.PINHash = otherHash }) },
		devicetotp.CodeAccountLocked:      lock,
	} {
		done := false
		var w *devicetotptest.World
		w = devicetotptest.New(t, func(c *devicetotp.Config) {
			c.PIN = hooked(c.PIN, func() {
				if !done {
					done = true
					change(w)
				}
			})
		})
		w.Account("acct").PIN("8299")
		proof, err := prove(t, w, devicetotp.ProveRequest{PIN: secret("8299")})
		requireCode(t, code, err)
		require.Zero(t, proof)
	}
}

// What does not open takes down only itself, and the Event names it.
func TestProve_OneBrokenDeviceTakesDownOnlyItself(t *testing.T) {
	w, _, proved, _ := proveWorld(t)
	change(t, w, func(s *credential.State) { s.Devices[s.DeviceIndex(otherID(1))].Sealed = []byte("broken") })
	proof, err := prove(t, w, devicetotp.ProveRequest{OTP: w.Phone(proved).Code()})
	require.NoError(t, err)
	require.Equal(t, otherID(0), proof.DeviceID)
	event := w.Events()[len(w.Events())-1]
	require.Len(t, event.Unreadable, 1)
	require.Equal(t, otherID(1), event.Unreadable[0].DeviceID)
}
