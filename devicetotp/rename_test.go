package devicetotp_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
)

func rename(t *testing.T, w *devicetotptest.World, device, to string) error {
	t.Helper()
	return w.Issuer.Rename(t.Context(), devicetotp.RenameRequest{AccountID: "acct", DeviceID: device, Name: to})
}

// names returns the names of the account's devices as Inspect shows them.
func names(t *testing.T, w *devicetotptest.World) (out []string) {
	t.Helper()
	view, err := w.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	for _, d := range view.Devices {
		out = append(out, d.Name)
	}
	return out
}

var goodNames = []string{
	"", "a", "Work phone", "Ünï cödé", "日本語", "\u200fעברית", "👩‍👩‍👧", `<b>"'&%\`, "a:b", strings.Repeat("🔑", 64), strings.Repeat("a", 64),
}

// badNames has what is not a name, and the rule that it breaks.
var badNames = map[string]string{
	"Sentinel \xff": "UTF-8", "Sentinel \xed\xa0\x80": "UTF-8", "Sentinel\x00": "U+0000", "Sentinel\n": "U+000A", "Sent\tinel": "U+0009",
	"Sentinel\x7f": "U+007F", "Sent\u0085inel": "U+0085", "Sent\u2028inel": "U+2028", "Sent\u2029inel": "U+2029",
	"Sentinel\u202a": "U+202A", "Sentinel\u202b": "U+202B", "Sentinel\u202c": "U+202C", "Sentinel\u202d": "U+202D", "Sentinel\u202e": "U+202E",
	"Sentinel\u2066": "U+2066", "Sentinel\u2067": "U+2067", "Sentinel\u2068": "U+2068", "Sentinel\u2069": "U+2069",
	"Sentinel\ufffd": "U+FFFD", "Sentinel\uffff": "U+FFFF",
	" Sentinel": "space", "Sentinel ": "space", "Sentinel\u00a0": "space", "\u3000Sentinel": "space", " ": "space",
	strings.Repeat("a", 65): "65 characters, must have at most 64", strings.Repeat("🔑", 65): "65 characters", "Sentinel" + strings.Repeat("a", 1<<20): "at most 64",
}

func TestRename_SetsTheName(t *testing.T) {
	w := devicetotptest.New(t)
	a, _ := enrol(t, w, "acct", 2)
	for _, name := range goodNames {
		require.NoError(t, rename(t, w, strings.ToUpper(otherID(1)), name))
		require.Equal(t, []string{"", name}, names(t, w))
		event := w.Events()[len(w.Events())-2]
		require.Equal(t, [3]any{devicetotp.OpRename, otherID(1), devicetotp.Code("")}, [3]any{event.Op, event.DeviceID, event.Code})
	}
	require.NoError(t, rename(t, w, otherID(0), "same"))
	require.NoError(t, rename(t, w, otherID(1), "same"), "names need not be unique")
	require.Equal(t, []string{"same", "same"}, names(t, w))
	_, err := verify(t, w, otherID(1), w.Phone(devicetotp.DeviceTOTP{
		Secret: secret("secret-0000000002..."), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: a.Stored().State.Devices[1].Period,
	}).Code())
	require.NoError(t, err, "the device works as before")
}

// What is not a name is refused by Rename and Create alike, before any I/O, and
// not quoted: what a host passes by mistake may be a secret.
func TestRename_RefusesWhatIsNoName(t *testing.T) {
	w := devicetotptest.New(t)
	a, _ := enrol(t, w, "acct", 1)
	before := a.Stored()
	w.Store.Script()
	for name, rule := range badNames {
		_, created := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(1), PIN: secret("8299"), Name: name})
		for _, err := range []error{rename(t, w, otherID(0), name), created} {
			e := requireCode(t, devicetotp.CodeInvalidArgument, err)
			require.Equal(t, "Name", e.Field)
			require.ErrorContains(t, err, rule)
			require.NotContains(t, err.Error(), "Sent")
		}
	}
	require.Empty(t, w.Store.Calls())
	require.Equal(t, before, a.Stored())
}

// Every combination of what the account, the device and the name can be.
func TestRename_TruthTable(t *testing.T) {
	for _, account := range []string{"acct", "locked", "unknown"} {
		for _, device := range []string{"there", "another's", "none", "no UUID"} {
			for _, name := range []string{"good", "bad"} {
				w := devicetotptest.New(t)
				a, _ := enrol(t, w, "acct", 1)
				_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: w.Account("other").PIN("8299").ID, DeviceID: otherID(5), PIN: secret("8299")})
				require.NoError(t, err)
				a.Locked(account == "locked")
				r := devicetotp.RenameRequest{AccountID: "acct", Name: map[string]string{"good": "Phone", "bad": "\n"}[name]}
				r.DeviceID = map[string]string{"there": otherID(0), "another's": otherID(5), "none": otherID(9), "no UUID": "phone"}[device]
				if account == "unknown" {
					r.AccountID = "unknown"
				}
				var want devicetotp.Code // in the order in which Rename looks
				var field string
				switch {
				case device == "no UUID":
					want, field = devicetotp.CodeInvalidID, "DeviceID"
				case name == "bad":
					want, field = devicetotp.CodeInvalidArgument, "Name"
				case account == "unknown":
					want, field = devicetotp.CodeInvalidArgument, "AccountID"
				case account == "locked":
					want = devicetotp.CodeAccountLocked
				case device != "there":
					want, field = devicetotp.CodeNotFound, "DeviceID"
				}
				before := a.Stored()
				err = w.Issuer.Rename(t.Context(), r)
				what := fmt.Sprintf("%s account, device %s, %s name", account, device, name)
				require.Equal(t, want, devicetotp.CodeOf(err), what)
				if want == "" {
					require.Equal(t, "Phone", a.Stored().State.Devices[0].Name, what)
					continue
				}
				require.Equal(t, field, requireCode(t, want, err).Field, what)
				require.Equal(t, before, a.Stored(), what)
			}
		}
	}
}

// A repetition sets the name again, and that is all it does.
func TestRename_ARepetitionSetsTheNameAgain(t *testing.T) {
	w := devicetotptest.New(t)
	a, _ := enrol(t, w, "acct", 2)
	require.NoError(t, rename(t, w, otherID(0), "mine"))
	once := a.Stored()
	require.NoError(t, rename(t, w, otherID(0), "mine"))
	require.Equal(t, withoutWrites(t, once.State), withoutWrites(t, a.Stored().State))
	require.NotEqual(t, once.Version, a.Stored().Version, "a success saves")
	require.NoError(t, rename(t, w, otherID(0), "theirs"))
	require.NoError(t, rename(t, w, otherID(0), "mine"))
	require.Equal(t, []string{"mine", ""}, names(t, w))
}

// Create names a device. A retry leaves the name as it is, and a device that
// replaces another keeps its name if the request has none.
func TestCreate_NamesTheDevice(t *testing.T) {
	w, a, r, _ := retryWorld(t, credential.BasisOTP)
	require.NoError(t, rename(t, w, deviceID, "mine"))
	r.Name = "Phone"
	again, err := w.Issuer.Create(t.Context(), r)
	require.NoError(t, err)
	require.True(t, again.Replayed)
	require.Equal(t, []string{"mine"}, names(t, w))

	for otp, c := range map[string]struct{ name, want string }{"777777": {"", "mine"}, "777778": {"Tablet", "Tablet"}} {
		require.NoError(t, rename(t, w, deviceID, "mine"))
		a.OTP(otp)
		r.OTP, r.Name = secret(otp), c.name
		replaced, err := w.Issuer.Create(t.Context(), r)
		require.NoError(t, err)
		require.True(t, replaced.Replaced)
		require.Equal(t, []string{c.want}, names(t, w))
	}
	for _, name := range goodNames {
		w := devicetotptest.New(t)
		w.Account("acct").RegisteredAgo(0)
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", Name: name})
		require.NoError(t, err)
		require.Equal(t, []string{name}, names(t, w))
	}
}

// Renames of two devices by several processes lose nothing of each other.
func TestRename_AtOnceLosesNothing(t *testing.T) {
	w := devicetotptest.New(t)
	enrol(t, w, "acct", 8)
	all := issuers(t, w, 3)
	for round := range 10 {
		codes := together(8, func(n int) error {
			return all[n%len(all)].Rename(context.Background(), devicetotp.RenameRequest{
				AccountID: "acct", DeviceID: otherID(n), Name: fmt.Sprintf("phone %d.%d", n, round),
			})
		})
		require.Equal(t, map[devicetotp.Code]int{"": 8}, codes)
		for n, name := range names(t, w) {
			require.Equal(t, fmt.Sprintf("phone %d.%d", n, round), name)
		}
	}
}
