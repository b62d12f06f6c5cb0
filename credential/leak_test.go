package credential_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html/template"
	"log"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// sentinel has bytes of every kind: letters, digits, a quote, a control
// character and one that is not UTF-8.
const sentinel = "S3nt!nel\"\x01\xfeVALUE"

// forms returns what sentinel looks like in text, whoever wrote it. A part of
// eight bytes is enough to be found.
func forms(value string) (out []string) {
	for start := 0; start+8 <= len(value); start++ {
		part := []byte(value[start : start+8])
		quoted := fmt.Sprintf("%q", part)
		out = append(out, string(part), quoted[1:len(quoted)-1], hex.EncodeToString(part), fmt.Sprintf("%X", part))
		for _, layout := range []string{"%d", "%x", "0x%x", "0x%02x", "%02x", "%X", "%o", "%b", "%c", "%U", "%q"} {
			for _, between := range []string{" ", ", ", ","} {
				bytes := make([]string, len(part))
				for i, b := range part {
					bytes[i] = fmt.Sprintf(layout, b)
				}
				out = append(out, strings.Join(bytes, between))
			}
		}
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			for shift := range 3 { // without the characters that neighbours share
				text := encoding.EncodeToString(append(make([]byte, shift), part...))
				out = append(out, text[(shift*8+5)/6:(shift+8)*8/6])
			}
		}
	}
	return out
}

// The verbs of fmt and some that it does not have. For %p, and for %w with what
// is not an error, it does not ask a value how to print itself (go vet reports
// both), so that only what is behind a pointer withstands those.
const (
	everyVerb = sensible + "pw"
	sensible  = "vTdboOxXeEfFgGqUcst!yz"
)

// outputs writes v in every way that a program may.
func outputs(v any, verbs string) (out []string) {
	for _, flags := range []string{"", "+", "#", "-", " ", "0", "+#", "12.3", "# "} {
		for _, verb := range verbs {
			out = append(out, fmt.Sprintf("%"+flags+string(verb), v))
		}
	}
	for _, mistaken := range []string{"%*v %.*s", "no verb", "%[5]v", "%", "%" + verbs[len(verbs)-1:]} {
		out = append(out, fmt.Errorf(mistaken, v, v, v, v).Error(), fmt.Sprintf(mistaken, v, v, v, v))
	}
	out = append(out, fmt.Sprint(v), fmt.Sprintln(v, v), fmt.Sprint(struct{ V any }{v}), fmt.Sprintf("%+v", []any{v}))
	var b bytes.Buffer
	for _, handler := range []slog.Handler{
		slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug}), slog.NewJSONHandler(&b, nil),
	} {
		logger := slog.New(handler)
		logger.Info("message", "value", v, slog.Group("group", "value", v), "in", struct{ V any }{v}, "list", []any{v})
		logger.With("value", v).Info("message")
	}
	log.New(&b, "", 0).Print(v)
	enc := json.NewEncoder(&b)
	note := func(err error) {
		if err != nil {
			b.WriteString(err.Error())
		}
	}
	note(enc.Encode(v))
	note(enc.Encode(map[string]any{"v": v}))
	note(xml.NewEncoder(&b).Encode(v))
	note(gob.NewEncoder(&b).Encode(v))
	note(template.Must(template.New("").Parse("{{.}} {{printf \"%v\" .}}")).Execute(&b, v))
	return append(out, b.String())
}

func requireNoLeak(t *testing.T, v any, verbs string, values ...string) {
	t.Helper()
	text := strings.Join(outputs(v, verbs), "\n")
	for _, value := range values {
		for _, form := range forms(value) {
			if at := strings.Index(text, form); at >= 0 {
				t.Fatalf("%T shows %q in %q", v, form, text[max(0, at-200):at+len(form)])
			}
		}
	}
}

// The search finds a value that does print, in every form that it is looked for.
func TestLeaksAreFound(t *testing.T) {
	wanted := forms(sentinel)
	found := func(text string) bool {
		for _, form := range wanted {
			if strings.Contains(text, form) {
				return true
			}
		}
		return false
	}
	for _, text := range []string{
		sentinel, "..." + sentinel[3:12] + "...", fmt.Sprintf("%q", sentinel), fmt.Sprintf("%x", sentinel), fmt.Sprintf("% X", sentinel),
		fmt.Sprint([]byte(sentinel)), fmt.Sprintf("%#v", []byte(sentinel)), fmt.Sprintf("%x", []byte(sentinel)), fmt.Sprintf("%b", []byte(sentinel)),
		base64.StdEncoding.EncodeToString([]byte(sentinel)), base64.URLEncoding.EncodeToString([]byte("x" + sentinel + "y")),
		base64.RawStdEncoding.EncodeToString([]byte("xy" + sentinel)), fmt.Sprintf("%v", struct{ b []byte }{[]byte(sentinel)}),
	} {
		require.True(t, found(text), "%s", text)
	}
	require.False(t, found("S3nt!ne"), "seven bytes are too few to tell")
	type plain struct{ value string }
	shown := 0
	for _, text := range outputs(plain{sentinel}, everyVerb) {
		if found(text) {
			shown++
		}
	}
	require.Greater(t, shown, 50, "what does not hide its value is shown in most outputs")
}

func TestSecretNeverPrints(t *testing.T) {
	s := credential.NewSecret(sentinel)
	type exported struct{ Value credential.Secret }
	type unexported struct{ value credential.Secret }
	type pointer struct{ value *credential.Secret }
	type deep struct{ In *unexported }
	type embedded struct{ credential.Secret }
	for _, v := range []any{
		s, &s, []credential.Secret{s}, [1]credential.Secret{s}, map[string]credential.Secret{"k": s}, map[credential.Secret]int{s: 1},
		exported{s}, &exported{s}, unexported{s}, &unexported{s}, pointer{&s}, deep{&unexported{s}}, []unexported{{s}},
		map[string]unexported{"k": {s}}, embedded{s}, credential.Optional(sentinel), credential.FromPtr(new(string)),
		struct{ v any }{s}, struct{ v any }{unexported{s}},
	} {
		requireNoLeak(t, v, everyVerb, sentinel)
	}
}

func TestKeysNeverPrint(t *testing.T) {
	secret := (sentinel + strings.Repeat(sentinel, 2))[:credential.KeySize]
	key := credential.Key{ID: "2026-05", Secret: credential.NewSecret(secret)}
	ring, err := credential.NewKeyring(key.ID, key)
	require.NoError(t, err)
	derived := derivedKeys(t, secret)
	type holder struct {
		key  credential.Key
		ring *credential.Keyring
		copy credential.Keyring
	}
	for _, v := range []any{
		key, &key, []credential.Key{key}, ring, *ring, []*credential.Keyring{ring}, []credential.Keyring{*ring},
		holder{key, ring, *ring}, &holder{key, ring, *ring}, struct{ Ring credential.Keyring }{*ring},
	} {
		requireNoLeak(t, v, everyVerb, append(derived, secret)...)
	}
	require.Equal(t, "keyring [2026-05], primary 2026-05", fmt.Sprint(ring))
	require.Equal(t, "keyring without keys", fmt.Sprint(&credential.Keyring{}))
	require.Equal(t, "keyring without keys", (*credential.Keyring)(nil).String())
}

// An Account prints without its hashes, and a State without what is sealed or
// digested, or names a hash.
func TestAccountAndStateDoNotPrintHashes(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	state := credential.State{
		Devices: []credential.Device{{
			ID: "738e379f-fe30-45ab-819c-ba88804b6368", Sealed: []byte("SEALED" + sentinel), ProofDigest: []byte("PROOF" + sentinel),
			Attempts: credential.Attempts{Against: sentinel},
		}},
		Codes: []credential.OneTimeCode{{ID: "00c0ffee00c0ffee", Kind: "account", Digest: []byte(sentinel), ExpiresAt: at}},
		Spent: []credential.SpentProof{{ProofID: sentinel, Until: at}},
		PIN:   credential.Attempts{Failures: 1, LastAt: at, Against: sentinel},
	}
	account := credential.Account{ID: "alice", PasswordHash: "$argon2id$" + sentinel, PINHash: sentinel, State: state}
	for _, v := range []any{account, &account, []credential.Account{account}, map[string]any{"a": account}, struct{ A credential.Account }{account}} {
		requireNoLeak(t, v, sensible, sentinel)
	}
	// As gob a State is its stored form, which holds no plain secret but is
	// not for people; so gob is left out, by a type that it refuses.
	type refused struct {
		V any
		F func() `json:"-" xml:"-"`
	}
	for _, v := range []any{
		state, &state, state.Devices, state.Devices[0], &state.Devices[0], state.Codes, state.Codes[0], state.Spent[0], state.PIN, &state.PIN,
	} {
		requireNoLeak(t, refused{V: v}, sensible, sentinel)
		for _, verb := range "vsqxXdT" {
			require.NotContains(t, fmt.Sprintf("%"+string(verb), v), "S3nt")
		}
		b, err := xml.Marshal(v)
		require.NoError(t, err)
		require.NotContains(t, string(b), "S3nt")
	}
}

func TestWhatPrintsInstead(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	device := credential.Device{ID: "d", Basis: credential.BasisPIN, Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second, CreatedAt: at, LastStep: 7}
	for want, v := range map[string]any{
		"[redacted]": credential.NewSecret(""),
		"[absent]":   credential.Secret{},
		`{"id":"d","basis":"pin","algorithm":"SHA1","digits":6,"period":"30s","createdAt":"2026-05-04T12:00:00Z","lastStep":7,"attempts":{"failures":0}}`: device,
		`{"id":"c","kind":"account","expiresAt":"2026-05-04T12:00:00Z"}`:                                                                                  credential.OneTimeCode{ID: "c", Kind: "account", ExpiresAt: at},
		`{"devices":[],"codes":[],"spent":[],"otp":{"failures":0},"password":{"failures":0},"pin":{"failures":2},"writes":[]}`:                            credential.State{PIN: credential.Attempts{Failures: 2}},
		`{"until":"2026-05-04T12:00:00Z"}`:               credential.SpentProof{ProofID: "code:c", Until: at},
		`{"failures":3,"lastAt":"2026-05-04T12:00:00Z"}`: credential.Attempts{Failures: 3, LastAt: at},
		`account "alice" version 2 (password set: true, pin set: false, locked: true, devices: 1)`: credential.Account{
			ID: "alice", Version: 2, PasswordHash: "x", Locked: true, State: credential.State{Devices: []credential.Device{device}}},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
			require.Equal(t, want, fmt.Sprintf(verb, v))
		}
		require.Equal(t, want, v.(fmt.Stringer).String())
		text, err := v.(interface{ MarshalText() ([]byte, error) }).MarshalText()
		require.NoError(t, err)
		require.Equal(t, want, string(text))
		if logged, ok := v.(slog.LogValuer); ok {
			require.Equal(t, want, logged.LogValue().String())
		}
		b, err := json.Marshal(v)
		require.NoError(t, err)
		if strings.HasPrefix(want, "{") {
			require.Equal(t, want, string(b))
		} else {
			require.Equal(t, fmt.Sprintf("%q", want), string(b))
		}
	}
	// A time that JSON cannot write does not keep the rest from being logged.
	beyond := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for want, v := range map[string]fmt.Stringer{
		"state": credential.State{Devices: []credential.Device{{CreatedAt: beyond}}}, "device": credential.Device{CreatedAt: beyond},
		"one-time code": credential.OneTimeCode{ExpiresAt: beyond}, "spent proof": credential.SpentProof{Until: beyond}, "attempts": credential.Attempts{LastAt: beyond},
	} {
		require.Equal(t, want, v.String())
	}
}
