package devicetotp_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
)

// namedKey returns a key that is the same in every call.
func namedKey(id string) credential.Key {
	return credential.Key{ID: id, Secret: secret(strings.Repeat(id[:1], credential.KeySize-len(id)) + id)}
}

// keyRing returns the keyring of those keys, oldest first.
func keyRing(t testing.TB, primary string, keys ...credential.Key) *credential.Keyring {
	t.Helper()
	ring, err := credential.NewKeyring(primary, keys...)
	require.NoError(t, err)
	return ring
}

// ringOf returns the keyring of the named keys, oldest first.
func ringOf(t testing.TB, primary string, ids ...string) *credential.Keyring {
	t.Helper()
	var keys []credential.Key
	for _, id := range ids {
		keys = append(keys, namedKey(id))
	}
	return keyRing(t, primary, keys...)
}

// impostor returns a ring whose only key has that id and is another.
func impostor(t testing.TB, id string) *credential.Keyring {
	t.Helper()
	return keyRing(t, id, credential.Key{ID: id, Secret: namedKey("!" + id).Secret})
}

// A valueMaker plants one value of an account, made with a keyring and then
// altered.
type valueMaker struct {
	keys  *credential.Keyring
	alter func([]byte) []byte
	t     *testing.T
}

func (m valueMaker) seal(scope credential.Scope, plain string) []byte {
	m.t.Helper()
	out, err := m.keys.Seal(scope, secret(plain))
	require.NoError(m.t, err)
	return m.alter(out)
}

func (m valueMaker) digest(purpose credential.Purpose, subject, value string) []byte {
	m.t.Helper()
	out, err := m.keys.Digest(credential.Scope{Purpose: purpose, AccountID: "acct", Subject: subject}, secret(value))
	require.NoError(m.t, err)
	return m.alter(out)
}

// plainDevice returns a device whose secret is sealed with keys.
func plainDevice(t *testing.T, keys *credential.Keyring, id string, createdAgo time.Duration) credential.Device {
	t.Helper()
	d := credential.Device{
		ID: id, Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
		Basis: credential.BasisOTP, CreatedAt: devicetotptest.Start.Add(-createdAgo),
	}
	var err error
	d.Sealed, err = keys.Seal(credential.DeviceScope("acct", &d), secret("secret of "+id))
	require.NoError(t, err)
	return d
}

// witnessID is a healthy device beside the planted value, sealed with the old key.
const witnessID = "00000000-0000-4000-8000-0000000000aa"

// plantings are the kinds of value. Each adds one to the account. at returns where
// it is, or nil if it is gone.
var plantings = []planting{
	{
		name: "device", sealed: true, about: devicetotp.StoredValue{Purpose: credential.PurposeDeviceSecret, DeviceID: deviceID},
		plant: func(m valueMaker, a *credential.Account) { withDevice(m, a, time.Hour).Sealed = m.deviceSeal(a) },
		at:    func(a *credential.Account) []byte { return planted(a).Sealed },
		count: func(r devicetotp.Resealed) int { return r.Devices - 1 },
	},
	{
		name: "rotation", sealed: true, about: devicetotp.StoredValue{Purpose: credential.PurposeDeviceSecret, DeviceID: deviceID, Rotation: true},
		plant: func(m valueMaker, a *credential.Account) {
			d := withDevice(m, a, time.Hour)
			d.Rotation = withRotation(time.Hour)
			d.Rotation.Sealed = m.seal(credential.RotationScope("acct", d, d.Rotation), "new secret")
		},
		at:    func(a *credential.Account) []byte { return planted(a).Rotation.Sealed },
		count: func(r devicetotp.Resealed) int { return r.Rotations },
	},
	{
		name: "revoked", sealed: true, about: devicetotp.StoredValue{Purpose: credential.PurposeRevoked, DeviceID: deviceID},
		plant: func(m valueMaker, a *credential.Account) {
			a.State.Revoked = []credential.RevokedDevice{
				{ID: otherID(1), At: devicetotptest.Start}, // not imported: nothing sealed
				{ID: deviceID, At: devicetotptest.Start, Sealed: m.seal(credential.RevokedScope("acct", deviceID), "sum")},
			}
		},
		at:    func(a *credential.Account) []byte { return a.State.Revoked[1].Sealed },
		count: func(r devicetotp.Resealed) int { return r.Revoked },
	},
	{
		name: "recovery codes", sealed: true, about: devicetotp.StoredValue{Purpose: credential.PurposeRecovery},
		plant: func(m valueMaker, a *credential.Account) {
			a.State.Recovery = credential.RecoveryCodes{Left: 3, CreatedAt: devicetotptest.Start, Sealed: m.seal(credential.RecoveryScope("acct"), "digests")}
		},
		at:    func(a *credential.Account) []byte { return a.State.Recovery.Sealed },
		count: func(r devicetotp.Resealed) int { return r.RecoveryCodes },
	},
	{
		name: "PIN hash", host: true, about: devicetotp.StoredValue{Purpose: credential.PurposePINHash},
		plant: func(m valueMaker, a *credential.Account) { a.PINHash = m.pin() },
		at: func(a *credential.Account) []byte {
			sealed, _ := credential.SealedPINHash(a.PINHash)
			return sealed
		},
	},
	codePlanting("pending code", time.Minute, false, true),
	codePlanting("withdrawn code within its time", time.Minute, true, true),
	codePlanting("expired code", 0, false, false),
	proofPlanting("proof of a retry", 5*time.Minute, 0, true),
	proofPlanting("proof of a retry that is too late", 5*time.Minute+1, 0, false),
	proofPlanting("proof of a used device", time.Minute, 7, false),
	replacedPlanting("proof of a replaced device", 5*time.Minute, 0, true),
	replacedPlanting("proof of a device replaced long ago", 5*time.Minute+1, 0, false),
	replacedPlanting("proof of a replaced device, the new one used", time.Minute, 7, false),
	rotationProofPlanting("proof of a rotation", 5*time.Minute, 0, true),
	rotationProofPlanting("proof of a rotation long ago", 5*time.Minute+1, 0, false),
	rotationProofPlanting("proof of a used rotation", time.Minute, 7, false),
}

type planting struct {
	name   string
	about  devicetotp.StoredValue
	sealed bool // can be sealed again
	host   bool // the host's column
	needed bool // of a digest: something may still be compared with it
	plant  func(m valueMaker, a *credential.Account)
	at     func(a *credential.Account) []byte
	count  func(r devicetotp.Resealed) int
}

func codePlanting(name string, left time.Duration, withdrawn, needed bool) planting {
	return planting{
		name: name, needed: needed, about: devicetotp.StoredValue{Purpose: credential.PurposeOneTimeCode, Kind: "account"},
		plant: func(m valueMaker, a *credential.Account) {
			a.State.Codes = []credential.OneTimeCode{{
				ID: "00c0ffee00c0ffee", Kind: "account", ExpiresAt: devicetotptest.Start.Add(left), Withdrawn: withdrawn,
				Digest: m.digest(credential.PurposeOneTimeCode, "00c0ffee00c0ffee", rightCode),
			}}
		},
		at: func(a *credential.Account) []byte { return a.State.Codes[0].Digest },
	}
}

func proofPlanting(name string, ago time.Duration, lastStep int64, needed bool) planting {
	return planting{
		name: name, needed: needed, about: devicetotp.StoredValue{Purpose: credential.PurposeProof, DeviceID: deviceID},
		plant: func(m valueMaker, a *credential.Account) {
			d := withDevice(m, a, ago)
			d.LastStep, d.ProofDigest = lastStep, m.digest(credential.PurposeProof, deviceID, rightCode)
		},
		at: func(a *credential.Account) []byte { return planted(a).ProofDigest },
	}
}

func replacedPlanting(name string, ago time.Duration, lastStep int64, needed bool) planting {
	return planting{
		name: name, needed: needed, about: devicetotp.StoredValue{Purpose: credential.PurposeProof, DeviceID: deviceID},
		plant: func(m valueMaker, a *credential.Account) {
			d := withDevice(m, a, 0)
			d.LastStep = lastStep
			d.Replaced = []credential.ReplacedProof{{CreatedAt: devicetotptest.Start.Add(-ago), Digest: m.digest(credential.PurposeProof, deviceID, rightCode)}}
		},
		at: func(a *credential.Account) []byte {
			if len(planted(a).Replaced) == 0 {
				return nil
			}
			return planted(a).Replaced[0].Digest
		},
	}
}

func rotationProofPlanting(name string, ago time.Duration, lastStep int64, needed bool) planting {
	return planting{
		name: name, needed: needed, about: devicetotp.StoredValue{Purpose: credential.PurposeProof, DeviceID: deviceID, Rotation: true},
		plant: func(m valueMaker, a *credential.Account) {
			d := withDevice(m, a, time.Hour)
			d.Rotation = withRotation(ago)
			d.Rotation.LastStep = lastStep
			sealed, err := ringOf(m.t, "primary", "primary").Seal(credential.RotationScope("acct", d, d.Rotation), secret("new secret"))
			require.NoError(m.t, err)
			d.Rotation.Sealed, d.Rotation.ProofDigest = sealed, m.digest(credential.PurposeProof, deviceID, rightCode)
		},
		at: func(a *credential.Account) []byte { return planted(a).Rotation.ProofDigest },
	}
}

// withDevice adds the device deviceID, sealed with the primary.
func withDevice(m valueMaker, a *credential.Account, ago time.Duration) *credential.Device {
	m.t.Helper()
	a.State.Devices = append(a.State.Devices, plainDevice(m.t, ringOf(m.t, "primary", "primary"), deviceID, ago))
	return planted(a)
}

func withRotation(ago time.Duration) *credential.Rotation {
	return &credential.Rotation{
		Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second, Basis: credential.BasisOTP,
		StartedAt: devicetotptest.Start.Add(-ago), Until: devicetotptest.Start.Add(24 * time.Hour),
	}
}

func planted(a *credential.Account) *credential.Device {
	return &a.State.Devices[a.State.DeviceIndex(deviceID)]
}

func (m valueMaker) deviceSeal(a *credential.Account) []byte {
	return m.seal(credential.DeviceScope("acct", planted(a)), "secret")
}

// pin returns a stored PIN hash, altered inside of its text.
func (m valueMaker) pin() string {
	m.t.Helper()
	stored, err := m.keys.SealPINHash("acct", "$2a$05$x")
	require.NoError(m.t, err)
	sealed, ok := credential.SealedPINHash(stored)
	require.True(m.t, ok)
	fingerprint := credential.Fingerprint(stored)
	return "$sealed$" + base64.RawStdEncoding.EncodeToString(append([]byte(fingerprint), m.alter(slices.Clone(sealed))...))
}

// What a Reseal must do with a value of each kind, made by each of the keys that
// there can be. The statement of the rules is resealRule.
func TestReseal_TruthTable(t *testing.T) {
	as := func(b []byte) []byte { return b }
	makers := map[string]valueMaker{
		"old":                   {keys: ringOf(t, "old", "old"), alter: as},
		"primary":               {keys: ringOf(t, "primary", "primary"), alter: as},
		"newer":                 {keys: ringOf(t, "newer", "newer"), alter: as},
		"gone":                  {keys: ringOf(t, "gone", "gone"), alter: as},
		"another old":           {keys: impostor(t, "old"), alter: as},
		"another primary":       {keys: impostor(t, "primary"), alter: as},
		"old, altered":          {keys: ringOf(t, "old", "old"), alter: func(b []byte) []byte { b[len(b)-1] ^= 1; return b }},
		"no form that is known": {keys: ringOf(t, "old", "old"), alter: func([]byte) []byte { return []byte("nonsense") }},
	}
	for _, p := range plantings {
		for by, m := range makers {
			t.Run(p.name+"/"+by, func(t *testing.T) {
				m.t = t
				w := devicetotptest.New(t)
				a := credential.Account{ID: "acct"}
				a.State.Devices = []credential.Device{plainDevice(t, ringOf(t, "old", "old"), witnessID, time.Hour)}
				p.plant(m, &a)
				require.NoError(t, w.Store.Accounts.Replace(t.Context(), a))
				before := p.at(&a)

				issuer := issuerUnder(t, w, ringOf(t, "primary", "old", "primary", "newer"))
				seen, err := issuer.Inspect(t.Context(), "acct")
				require.NoError(t, err)
				got, err := issuer.Reseal(t.Context(), "acct")
				require.NoError(t, err)
				after, err := w.Store.Accounts.Load(t.Context(), "acct")
				require.NoError(t, err)

				want := resealRule(p, by)
				require.Equal(t, want.withheld, got.Withheld)
				require.Equal(t, want.keys, got.Keys)
				require.Equal(t, want.unreadable, len(got.Unreadable) == 1, "%+v", got.Unreadable)
				require.Equal(t, want.unreadable, len(seen.Unreadable) == 1, "%+v", seen.Unreadable)
				if want.unreadable {
					value := got.Unreadable[0]
					require.Equal(t, seen.Unreadable, got.Unreadable, "Inspect says the same")
					require.Equal(t, want.madeBy, value.KeyID)
					require.ErrorIs(t, value.Err, want.err)
					value.KeyID, value.Err = "", nil
					require.Equal(t, p.about, value)
				}
				wantWitness := 1
				if want.withheld {
					wantWitness = 0
				}
				if p.name == "device" {
					require.Equal(t, wantWitness+want.count, got.Devices)
				} else {
					require.Equal(t, wantWitness, got.Devices)
				}
				if p.count != nil && !want.withheld {
					require.Equal(t, want.count, p.count(got))
				}
				require.Equal(t, want.dropped, got.Dropped)
				switch {
				case want.dropped > 0:
					require.Nil(t, p.at(&after))
				case want.count > 0:
					id, _ := credential.KeyID(p.at(&after))
					require.Equal(t, "primary", id)
				default:
					require.Equal(t, before, p.at(&after), "left as it is")
				}
			})
		}
	}
}

type resealWant struct {
	withheld, unreadable bool
	keys                 []string
	madeBy               string
	err                  error
	count, dropped       int
}

// resealRule states what Reseal does, beside a device that the old key sealed, for
// a keyring of old, primary and newer.
func resealRule(p planting, by string) (want resealWant) {
	want.madeBy = map[string]string{
		"old": "old", "primary": "primary", "newer": "newer", "gone": "gone",
		"another old": "old", "another primary": "primary", "old, altered": "old", "no form that is known": "",
	}[by]
	digest := !p.sealed && !p.host
	opens := by == "old" || by == "primary" || by == "newer" || digest && by == "old, altered" // of a digest nobody sees it
	want.withheld = p.sealed && by == "another primary"
	need := []string{"primary"} // the device beside it
	if want.withheld {
		need = []string{"old", "primary"}
	}
	switch {
	case digest && !p.needed: // asks for no key
		isProof := p.about.Purpose == credential.PurposeProof
		if isProof && by != "primary" && by != "newer" {
			want.dropped = 1
		}
	case p.sealed && by == "old":
		want.count = 1
	default:
		want.unreadable = !opens
		need = append(need, want.madeBy)
	}
	for _, id := range []string{"old", "primary", "newer", "gone"} {
		if slices.Contains(need, id) {
			want.keys = append(want.keys, id)
		}
	}
	want.err = credential.ErrMissingKey
	if by == "old, altered" || by == "no form that is known" {
		want.err = credential.ErrTampered
	}
	return want
}

// estate is an account with a value of every kind that the old key made.
func estate(t *testing.T) (*devicetotptest.World, *devicetotptest.Account) {
	t.Helper()
	w := devicetotptest.New(t)
	account := w.Account("acct").Password("password").PIN("8299")
	a := account.Stored()
	a.PINHash = repin(t, w, a.PINHash, ringOf(t, "old", "old"))
	m := valueMaker{keys: ringOf(t, "old", "old"), alter: func(b []byte) []byte { return b }, t: t}
	used := plainDevice(t, m.keys, witnessID, time.Hour)
	used.LastStep, used.ProofDigest = 7, m.digest(credential.PurposeProof, witnessID, rightCode)
	d := plainDevice(t, m.keys, deviceID, time.Hour)
	d.ProofDigest = m.digest(credential.PurposeProof, deviceID, rightCode)
	d.Replaced = []credential.ReplacedProof{{CreatedAt: d.CreatedAt, Digest: m.digest(credential.PurposeProof, deviceID, wrongCode)}}
	d.Rotation = withRotation(time.Hour)
	d.Rotation.Sealed = m.seal(credential.RotationScope("acct", &d, d.Rotation), "new secret")
	d.Rotation.ProofDigest = m.digest(credential.PurposeProof, deviceID, rightCode)
	a.State.Devices = []credential.Device{used, d}
	a.State.Revoked = []credential.RevokedDevice{{ID: otherID(1), At: a.RegisteredAt, Sealed: m.seal(credential.RevokedScope("acct", otherID(1)), "sum")}}
	a.State.Recovery = credential.RecoveryCodes{Left: 1, CreatedAt: d.CreatedAt, Sealed: m.seal(credential.RecoveryScope("acct"), "digests")}
	require.NoError(t, w.Store.Accounts.Replace(t.Context(), a))
	return w, account
}

// repin seals a PIN hash of the world's with other keys.
func repin(t *testing.T, w *devicetotptest.World, stored string, keys *credential.Keyring) string {
	t.Helper()
	hash, _, err := w.Keys.OpenPINHash("acct", stored)
	require.NoError(t, err)
	out, err := keys.SealPINHash("acct", hash)
	require.NoError(t, err)
	return out
}

// After Reseal and ResealPINHash nothing in the account is of the old key, and
// everything opens without it.
func TestReseal_NothingIsLeftOfTheOldKey(t *testing.T) {
	w, account := estate(t)
	both := ringOf(t, "primary", "old", "primary")
	got, err := issuerUnder(t, w, both).Reseal(t.Context(), "acct")
	require.NoError(t, err)
	require.Equal(t, devicetotp.Resealed{Devices: 2, Rotations: 1, Revoked: 1, RecoveryCodes: 1, Dropped: 4, Keys: []string{"old", "primary"}}, got,
		"the old one is that of the PIN hash")
	update(w, func(a *credential.Account) {
		a.PINHash, err = both.ResealPINHash("acct", a.PINHash)
		require.NoError(t, err)
	})

	alone := issuerUnder(t, w, ringOf(t, "primary", "primary"))
	got, err = alone.Reseal(t.Context(), "acct")
	require.NoError(t, err)
	require.Equal(t, devicetotp.Resealed{Keys: []string{"primary"}}, got)
	stored := account.Stored()
	encoded, err := stored.State.MarshalBinary()
	require.NoError(t, err)
	require.False(t, bytes.Contains(encoded, []byte("\x03old")), "the header of the old key")
	view, err := alone.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	require.Equal(t, []string{"primary"}, view.Keys)
	require.Empty(t, view.Unreadable)
	for _, d := range view.Devices {
		require.True(t, d.Opens)
		require.Equal(t, "primary", d.KeyID)
	}
	d := stored.State.Devices[0]
	plain, _, err := ringOf(t, "primary", "primary").Open(credential.DeviceScope("acct", &d), d.Sealed)
	require.NoError(t, err)
	require.Equal(t, "secret of "+witnessID, plain.Reveal(), "the secret is the same")
	_, err = alone.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(2), PIN: secret("8299")})
	require.NoError(t, err)
}

// Sending it again changes nothing, and a process that still has the old primary
// undoes nothing.
func TestReseal_AgainAndByAnOlderProcess(t *testing.T) {
	w, account := estate(t)
	account.Locked(true) // the operator's act
	newer, older := ringOf(t, "primary", "old", "primary"), ringOf(t, "old", "old", "primary")
	_, err := issuerUnder(t, w, newer).Reseal(t.Context(), "acct")
	require.NoError(t, err)
	before := withoutWrites(t, account.Stored().State)
	for _, ring := range []*credential.Keyring{newer, older, newer} {
		got, err := issuerUnder(t, w, ring).Reseal(t.Context(), "acct")
		require.NoError(t, err)
		require.Equal(t, devicetotp.Resealed{Keys: []string{"old", "primary"}}, got)
		require.Equal(t, before, withoutWrites(t, account.Stored().State))
	}
}

func TestReseal_OfAnUnknownAccount(t *testing.T) {
	w := devicetotptest.New(t)
	_, err := w.Issuer.Reseal(t.Context(), "nobody")
	requireCode(t, devicetotp.CodeInvalidArgument, err)
	require.ErrorIs(t, err, credential.ErrNotFound)
	require.Equal(t, totperrors.FieldAccountID, requireCode(t, devicetotp.CodeInvalidArgument, err).Field)
	event := w.Events()[0]
	require.Equal(t, devicetotp.OpReseal, event.Op)
	_, err = w.Issuer.Reseal(t.Context(), "")
	requireCode(t, devicetotp.CodeInternal, err)
}

// The Event lists what does not open.
func TestReseal_TheEventNamesWhatDoesNotOpen(t *testing.T) {
	w, _ := estate(t)
	_, err := w.Issuer.Reseal(t.Context(), "acct") // with a keyring that has none of the keys
	require.NoError(t, err)
	event := w.Events()[len(w.Events())-1]
	require.Equal(t, devicetotp.OpReseal, event.Op)
	var got []string
	for _, u := range event.Unreadable {
		got = append(got, fmt.Sprint(u.Factor, " ", u.DeviceID, " ", u.Err))
	}
	missing := `: credential: key not in the keyring: "old"`
	require.Equal(t, []string{
		"otp " + witnessID + " device-secret" + missing,
		"otp " + deviceID + " device-secret" + missing,
		"otp " + deviceID + " device-secret" + missing,
		"otp " + otherID(1) + " revoked" + missing,
		"otp  recovery" + missing,
		"pin  pin" + missing,
	}, got)
}
