package jsonapi_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp/jsonapi"
)

// refusals of a body, each with what it must be told.
var refusedBodies = []struct {
	rule, body string
	want       []string
}{
	{"no body", "", []string{"invalid-document none"}},
	{"white space", " \n", []string{"invalid-document none"}},
	{"not JSON", "{", []string{"invalid-document none"}},
	{"a string without end", `{"data":"x`, []string{"invalid-document none"}},
	{"a string that ends in an escape", `{"data":"\`, []string{"invalid-document none"}},
	{"a form", "pin=8299", []string{"invalid-document none"}},
	{"a second value", plainBody + "{}", []string{"invalid-document none"}},
	{"a trailing comma", plainBody + ",", []string{"invalid-document none"}},
	{"a trailing NUL", plainBody + "\x00", []string{"invalid-document none"}},
	{"a byte order mark", "\ufeff" + plainBody, []string{"invalid-document none"}},
	{"UTF-16", "\xff\xfe{\x00}\x00", []string{"invalid-document none"}},
	{"bad UTF-8 in a credential", `{"data":{"type":"deviceTOTP","attributes":{"pin":"` + "\xff" + `"}}}`, []string{"invalid-document none"}},
	{"bad UTF-8 in what is ignored", `{"data":{"type":"deviceTOTP"},"meta":"` + "\xc0\xaf" + `"}`, []string{"invalid-document none"}},
	{"a control character", "{\"data\":{\"type\":\"deviceTOTP\",\"attributes\":{\"pin\":\"\n\"}}}", []string{"invalid-document none"}},
	{"nested too deep", `{"data":{"type":"deviceTOTP"},"meta":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`,
		[]string{"invalid-document none"}},

	{"an array", "[]", []string{"invalid-document"}},
	{"a string", `"data"`, []string{"invalid-document"}},
	{"null", "null", []string{"invalid-document"}},
	{"a number", " 1 ", []string{"invalid-document"}},
	{"no data", "{}", []string{"invalid-document"}},
	{"DATA is not data", `{"DATA":{"type":"deviceTOTP"}}`, []string{"invalid-document"}},
	{"data twice", `{"data":{"type":"deviceTOTP"},"data":{"type":"deviceTOTP"}}`, []string{"invalid-document"}},
	{"data twice, once escaped", `{"data":{"type":"deviceTOTP"},"d\u0061ta":{}}`, []string{"invalid-document"}},
	{"meta twice", `{"data":{"type":"deviceTOTP"},"meta":1,"meta":1}`, []string{"invalid-document"}},
	{"half a surrogate pair in a name", `{"data":{"type":"deviceTOTP"},"\ud800":1}`, []string{"invalid-document"}},
	{"data is null", `{"data":null}`, []string{"invalid-document /data"}},
	{"data is an array", `{"data":[{"type":"deviceTOTP"}]}`, []string{"invalid-document /data"}},
	{"type twice", `{"data":{"type":"deviceTOTP","type":"deviceTOTP"}}`, []string{"invalid-document /data"}},

	{"no type", `{"data":{"id":"` + deviceID + `"}}`, []string{"invalid-type /data"}},
	{"another type", `{"data":{"type":"deviceTOTPs"}}`, []string{"invalid-type /data/type"}},
	{"the type has case", `{"data":{"type":"DeviceTOTP"}}`, []string{"invalid-type /data/type"}},
	{"the type is null", `{"data":{"type":null}}`, []string{"invalid-type /data/type"}},
	{"the type is an object", `{"data":{"type":{}}}`, []string{"invalid-type /data/type"}},
	{"Type is not type", `{"data":{"Type":"deviceTOTP"}}`, []string{"invalid-type /data"}},

	{"an empty id", `{"data":{"type":"deviceTOTP","id":""}}`, []string{"invalid-id /data/id"}},
	{"a number as id", `{"data":{"type":"deviceTOTP","id":1}}`, []string{"invalid-id /data/id"}},
	{"a UUID without hyphens", `{"data":{"type":"deviceTOTP","id":"` + strings.ReplaceAll(deviceID, "-", "") + `"}}`, []string{"invalid-id /data/id"}},
	{"a UUID with digits for hyphens", `{"data":{"type":"deviceTOTP","id":"` + strings.ReplaceAll(deviceID, "-", "0") + `"}}`, []string{"invalid-id /data/id"}},
	{"a UUID in braces", `{"data":{"type":"deviceTOTP","id":"{` + deviceID + `}"}}`, []string{"invalid-id /data/id"}},
	{"a UUID with a G", `{"data":{"type":"deviceTOTP","id":"g` + deviceID[1:] + `"}}`, []string{"invalid-id /data/id"}},
	{"a UUID with its hyphens elsewhere", `{"data":{"type":"deviceTOTP","id":"738e379-ffe30-45ab-819c-ba88804b6368"}}`, []string{"invalid-id /data/id"}},

	{"attributes are a string", `{"data":{"type":"deviceTOTP","attributes":"pin"}}`, []string{"invalid-attribute /data/attributes"}},
	{"attributes are an array", `{"data":{"type":"deviceTOTP","attributes":[]}}`, []string{"invalid-attribute /data/attributes"}},
	{"a PIN as a number", `{"data":{"type":"deviceTOTP","attributes":{"pin":8299}}}`, []string{"invalid-attribute /data/attributes/pin"}},
	{"a password as a bool", `{"data":{"type":"deviceTOTP","attributes":{"password":true}}}`, []string{"invalid-attribute /data/attributes/password"}},
	{"an OTP as an array", `{"data":{"type":"deviceTOTP","attributes":{"otp":["1"]}}}`, []string{"invalid-attribute /data/attributes/otp"}},
	{"half a surrogate pair in a PIN", `{"data":{"type":"deviceTOTP","attributes":{"pin":"\udc00"}}}`, []string{"invalid-attribute /data/attributes/pin"}},
	{"two first halves", `{"data":{"type":"deviceTOTP","attributes":{"pin":"\ud800\ud800"}}}`, []string{"invalid-attribute /data/attributes/pin"}},
	{"a half and another escape", `{"data":{"type":"deviceTOTP","attributes":{"pin":"\ud800\n"}}}`, []string{"invalid-attribute /data/attributes/pin"}},
	{"pin twice", `{"data":{"type":"deviceTOTP","attributes":{"pin":"1","pin":"2"}}}`, []string{"invalid-document /data/attributes"}},
	{"pin twice, once escaped", `{"data":{"type":"deviceTOTP","attributes":{"pin":"1","\u0070in":"2"}}}`, []string{"invalid-document /data/attributes"}},

	{"several faults", `{"data":{"type":1,"id":2,"attributes":{"otp":3,"password":4,"pin":5}}}`, []string{
		"invalid-type /data/type", "invalid-id /data/id", "invalid-attribute /data/attributes/otp",
		"invalid-attribute /data/attributes/password", "invalid-attribute /data/attributes/pin"}},
	{"several faults, one of them a name", `{"data":{"id":2,"attributes":{"pin":5,"pin":6}}}`, []string{
		"invalid-type /data", "invalid-id /data/id", "invalid-document /data/attributes"}},
}

func TestWhatStandsBesideHexadecimalDigitsIsNoUUID(t *testing.T) {
	for _, c := range "/:@G`g" {
		a := serve(t, handlerOf(t, &creator{}), request(`{"data":{"type":"deviceTOTP","id":"`+string(c)+deviceID[1:]+`"}}`))
		require.Equal(t, []string{"invalid-id /data/id"}, a.summary(), string(c))
	}
}

func TestRefusedBodies(t *testing.T) {
	for _, c := range refusedBodies {
		t.Run(c.rule, func(t *testing.T) {
			issuer := &creator{}
			a := serve(t, handlerOf(t, issuer), request(c.body))
			require.Equal(t, http.StatusUnprocessableEntity, a.Code)
			require.Equal(t, c.want, a.summary())
			require.Empty(t, issuer.got, "nothing may be looked at, counted or spent")
		})
	}
}

// acceptedBodies with what the Issuer must get: "-" is absent.
var acceptedBodies = []struct {
	rule, body             string
	id, otp, password, pin string
}{
	{"the documented body", `{"data":{"type":"deviceTOTP","id":"` + deviceID + `","attributes":{"pin":"8299","password":"superSecret12345!","otp":"526271"}}}`,
		deviceID, "526271", "superSecret12345!", "8299"},
	{"Android", `{"data":{"attributes":{},"id":"` + deviceID + `","type":"deviceTOTP"}}`, deviceID, "-", "-", "-"},
	{"iOS", `{"data":{"attributes":{"password":"a\/b"},"id":"` + deviceID + `","type":"deviceTOTP"}}`, deviceID, "-", "a/b", "-"},
	{"explicit nulls", `{"data":{"type":"deviceTOTP","id":null,"attributes":{"pin":null,"password":null,"otp":"1"}}}`, "", "1", "-", "-"},
	{"attributes are null", `{"data":{"type":"deviceTOTP","attributes":null}}`, "", "-", "-", "-"},
	{"only a type", `{"data":{"type":"deviceTOTP"}}`, "", "-", "-", "-"},
	{"an id in upper case", `{"data":{"type":"deviceTOTP","id":"` + strings.ToUpper(deviceID) + `"}}`, strings.ToUpper(deviceID), "-", "-", "-"},
	{"an empty attribute is presented", `{"data":{"type":"deviceTOTP","attributes":{"pin":""}}}`, "", "-", "-", ""},
	{"PIN is not pin", `{"data":{"type":"deviceTOTP","attributes":{"PIN":"1","paſſword":"2","Otp":3}}}`, "", "-", "-", "-"},
	{"what is not known is ignored", `{"meta":{"a":[{"]}":"\"}"}]},"jsonapi":{"version":"1.1"},"links":null,"data":{"lid":"x","id":"` + deviceID +
		`","type":"deviceTOTP","relationships":{},"meta":1.5e3,"attributes":{"secret":"x","period":true,"n":-1}}}`, deviceID, "-", "-", "-"},
	{"a name twice where nothing is read", `{"data":{"type":"deviceTOTP","meta":{"a":1,"a":2}}}`, "", "-", "-", "-"},
	{"a number beyond every float64 where nothing is read", `{"data":{"type":"deviceTOTP"},"meta":1e999}`, "", "-", "-", "-"},
	{"half a surrogate pair where nothing is read", `{"data":{"type":"deviceTOTP","meta":"\ud800"}}`, "", "-", "-", "-"},
	{"names escaped", `{"d\u0061ta":{"\u0074ype":"device\u0054OTP","attributes":{"\u0070in":"1"}}}`, "", "-", "-", "1"},
	{"every escape", `{"data":{"type":"deviceTOTP","attributes":{"password":"\"\\\/\b\f\n\r\t\u0000\u00e9\ud83d\ude00\\u0041"}}}`, "", "-",
		"\"\\/\b\f\n\r\t\x00é😀\\u0041", "-"},
	{"characters of every length", `{"data":{"type":"deviceTOTP","attributes":{"password":"aé€😀` + "\ufffd\x7f" + `"}}}`, "", "-", "aé€😀\ufffd\x7f", "-"},
	{"white space everywhere", "\r\n\t { \"data\" : { \"type\" : \"deviceTOTP\" , \"attributes\" : { \"pin\" : \"1\" , \"n\" : 1 } } } \n", "", "-", "-", "1"},
	{"nested as deep as may be", `{"data":{"type":"deviceTOTP"},"meta":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`, "", "-", "-", "-"},
	{"brackets within strings are not nesting", `{"data":{"type":"deviceTOTP","attributes":{"password":"` + strings.Repeat("[", 100) + `"}}}`,
		"", "-", strings.Repeat("[", 100), "-"},
	{"as long as may be", plainBody[:len(plainBody)-1] + `,"meta":"` + strings.Repeat("x", jsonapi.MaxBodyBytes-len(plainBody)-len(`,"meta":""`)) + `"}`,
		deviceID, "-", "-", "8299"},
}

func TestAcceptedBodies(t *testing.T) {
	for _, c := range acceptedBodies {
		t.Run(c.rule, func(t *testing.T) {
			issuer := &creator{}
			a := serve(t, handlerOf(t, issuer), request(c.body))
			require.Equal(t, http.StatusCreated, a.Code, "%s", a.Body)
			got := issuer.got[0]
			require.Equal(t, c.id, got.DeviceID)
			for want, s := range map[*string]credential.Secret{&c.otp: got.OTP, &c.password: got.Password, &c.pin: got.PIN} {
				require.Equal(t, *want != "-", s.Present())
				if s.Present() {
					require.Equal(t, *want, s.Reveal())
				}
			}
		})
	}
}

func TestBodiesThatDoNotArrive(t *testing.T) {
	half := plainBody[:40]
	for _, c := range []struct {
		name   string
		body   io.Reader
		detail string
	}{
		{"a byte too long", strings.NewReader(plainBody + strings.Repeat(" ", jsonapi.MaxBodyBytes-len(plainBody)+1)), "longer than 65536 bytes"},
		{"cut off", io.MultiReader(strings.NewReader(half), iotest.ErrReader(io.ErrUnexpectedEOF)), "could not be read to its end"},
		{"an error", iotest.ErrReader(errors.New("innards")), "could not be read to its end"},
		{"too late", io.MultiReader(strings.NewReader(half), iotest.ErrReader(os.ErrDeadlineExceeded)), "did not arrive in time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			issuer := &creator{}
			a := serve(t, handlerOf(t, issuer), requestFrom(c.body))
			require.Equal(t, http.StatusUnprocessableEntity, a.Code)
			require.Equal(t, []string{"invalid-document none"}, a.summary())
			require.Contains(t, a.errors[0].Detail, c.detail)
			require.NotContains(t, a.Body.String(), "innards")
			require.Empty(t, issuer.got)
		})
	}
	t.Run("no reader at all", func(t *testing.T) {
		r := request("")
		r.Body = nil
		require.Equal(t, []string{"invalid-document none"}, serve(t, handlerOf(t, &creator{}), r).summary())
	})
}
