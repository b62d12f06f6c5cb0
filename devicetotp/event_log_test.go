package devicetotp_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// fullEvent has a value in every field.
func fullEvent() devicetotp.Event {
	at := devicetotptest.Start
	return devicetotp.Event{
		Op: devicetotp.OpCreate, At: at, AccountID: "alice", DeviceID: deviceID, Code: devicetotp.CodeUnavailable,
		Basis: credential.BasisPIN, CreatedAt: at.Add(time.Second), Replayed: true, Replaced: true,
		RotationsConfirmed: []string{"rotated"}, RestsOnGrace: true,
		Factors: []devicetotp.FactorResult{
			{Factor: credential.FactorOTP, Result: devicetotp.ResultValid, Kind: verifier.KindRecovery},
			{Factor: credential.FactorPIN, Result: devicetotp.ResultWrong, Failures: 3},
		},
		Unreadable: []devicetotp.Unreadable{{Factor: credential.FactorPassword, DeviceID: otherID(1), Kind: "sms", Err: errors.New("no key")}},
		RetryAfter: 90 * time.Second, Evicted: []string{"old"}, Revoked: []string{"gone"}, AuthenticatedAt: at.Add(-time.Hour),
		Rounds: 2, Duration: 250 * time.Millisecond, Err: errors.New("the store is down"),
	}
}

func logged(e devicetotp.Event, handler func(*bytes.Buffer) slog.Handler) string {
	var out bytes.Buffer
	logger := slog.New(handler(&out))
	logger.Info("devicetotp", "event", e)
	return out.String()
}

// withoutTime leaves out the time of the log line, which differs each time.
func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func asText(out *bytes.Buffer) slog.Handler {
	return slog.NewTextHandler(out, &slog.HandlerOptions{ReplaceAttr: withoutTime})
}

func asJSON(out *bytes.Buffer) slog.Handler {
	return slog.NewJSONHandler(out, &slog.HandlerOptions{ReplaceAttr: withoutTime})
}

func TestEvent_IsLoggedInWords(t *testing.T) {
	require.Equal(t, `level=INFO msg=devicetotp event.op=create event.at=2026-01-02T03:04:05.000Z event.account=alice`+
		` event.device=738e379f-fe30-45ab-819c-ba88804b6368 event.code=unavailable event.basis=pin event.createdAt=2026-01-02T03:04:06.000Z`+
		` event.replayed=true event.replaced=true event.rotationsConfirmed=[rotated] event.restsOnGrace=true`+
		` event.otp.result=valid event.otp.kind=recovery event.pin.result=wrong event.pin.failures=3`+
		` event.unreadable="[password `+otherID(1)+` sms: no key]" event.retryAfterSeconds=90 event.evicted=[old] event.revoked=[gone]`+
		` event.authenticatedAt=2026-01-02T02:04:05.000Z event.rounds=2 event.durationSeconds=0.25 event.error="the store is down"`+"\n",
		logged(fullEvent(), asText))
	require.JSONEq(t, `{"level":"INFO","msg":"devicetotp","event":{"op":"create","at":"2026-01-02T03:04:05Z","account":"alice",
		"device":"738e379f-fe30-45ab-819c-ba88804b6368","code":"unavailable","basis":"pin","createdAt":"2026-01-02T03:04:06Z",
		"replayed":true,"replaced":true,"rotationsConfirmed":["rotated"],"restsOnGrace":true,
		"otp":{"result":"valid","kind":"recovery"},"pin":{"result":"wrong","failures":3},
		"unreadable":[{"factor":"password","device":"`+otherID(1)+`","kind":"sms","error":"no key"}],"retryAfterSeconds":90,
		"evicted":["old"],"revoked":["gone"],"authenticatedAt":"2026-01-02T02:04:05Z","rounds":2,"durationSeconds":0.25,
		"error":"the store is down"}}`, logged(fullEvent(), asJSON))
	least := devicetotp.Event{Op: devicetotp.OpCreate, AccountID: "alice", Factors: []devicetotp.FactorResult{{Factor: credential.FactorPIN, Result: devicetotp.ResultValid}}}
	require.Equal(t, "level=INFO msg=devicetotp event.op=create event.account=alice event.pin.result=valid event.rounds=0 event.durationSeconds=0\n",
		logged(least, asText), "what is zero is left out")
}

func TestEvent_MarshalsInWords(t *testing.T) {
	text, err := json.Marshal(fullEvent())
	require.NoError(t, err)
	require.JSONEq(t, `{"op":"create","at":"2026-01-02T03:04:05Z","account":"alice",
		"device":"738e379f-fe30-45ab-819c-ba88804b6368","code":"unavailable","basis":"pin","createdAt":"2026-01-02T03:04:06Z",
		"replayed":true,"replaced":true,"rotationsConfirmed":["rotated"],"restsOnGrace":true,
		"factors":[{"factor":"otp","result":"valid","kind":"recovery"},{"factor":"pin","result":"wrong","failures":3}],
		"unreadable":[{"factor":"password","device":"`+otherID(1)+`","kind":"sms","error":"no key"}],"retryAfterSeconds":90,
		"evicted":["old"],"revoked":["gone"],"authenticatedAt":"2026-01-02T02:04:05Z","rounds":2,"durationSeconds":0.25,
		"error":"the store is down"}`, string(text))
	text, err = json.Marshal(devicetotp.Event{})
	require.NoError(t, err)
	require.JSONEq(t, `{"op":"","account":"","rounds":0,"durationSeconds":0}`, string(text), "what is zero is left out")
}

// A field that is added to Event, to FactorResult or to Unreadable is logged too:
// none can be zero without the log showing it.
func TestEvent_IsLoggedWhole(t *testing.T) {
	forms := map[string]func(devicetotp.Event) string{
		"text": func(e devicetotp.Event) string { return logged(e, asText) },
		"JSON": func(e devicetotp.Event) string { return logged(e, asJSON) },
		"MarshalJSON": func(e devicetotp.Event) string {
			text, err := json.Marshal(e)
			require.NoError(t, err)
			return string(text)
		},
	}
	for form, write := range forms {
		whole := write(fullEvent())
		without := func(where string, part func(*devicetotp.Event) reflect.Value) {
			e := fullEvent()
			for i := range part(&e).NumField() {
				e = fullEvent()
				if field := part(&e).Field(i); !field.IsZero() { // or the other element of the list has it
					field.SetZero()
					require.NotEqual(t, whole, write(e), "%s without %s%s", form, where, part(&e).Type().Field(i).Name)
				}
			}
		}
		without("", func(e *devicetotp.Event) reflect.Value { return reflect.ValueOf(e).Elem() })
		for n := range fullEvent().Factors {
			without("Factors.", func(e *devicetotp.Event) reflect.Value { return reflect.ValueOf(&e.Factors[n]).Elem() })
		}
		without("Unreadable.", func(e *devicetotp.Event) reflect.Value { return reflect.ValueOf(&e.Unreadable[0]).Elem() })
	}
	for i, e := 0, reflect.ValueOf(fullEvent()); i < e.NumField(); i++ {
		require.False(t, e.Field(i).IsZero(), "fullEvent has no %s", e.Type().Field(i).Name)
	}
}

// Duration is how long the caller waited, hashing and the store included.
func TestEvent_HasTheDurationOfTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := devicetotptest.New(t)
		w.Account("alice").RegisteredAgo(0)
		w.Store.Script(devicetotptest.Fault{Before: func() { time.Sleep(300 * time.Millisecond) }})
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "alice"})
		require.NoError(t, err)
		require.Equal(t, 300*time.Millisecond, w.Events()[0].Duration)
	})
}
