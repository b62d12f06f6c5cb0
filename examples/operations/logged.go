package operations

import (
	"encoding/json"
	"fmt"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// Logged reads from a line of JSON what [Again] needs of the Event under the key "event",
// as slog's JSONHandler writes it, with a group for each factor, or as encoding/json does,
// with a list of them. It reports false for a line without an Event: others may have
// something under that key too.
func Logged(line []byte) (e devicetotp.Event, ok bool, err error) {
	var l struct{ Event json.RawMessage }
	if err := json.Unmarshal(line, &l); err != nil {
		return devicetotp.Event{}, false, fmt.Errorf("operations: a line of the log: %w", err)
	}
	if len(l.Event) == 0 || l.Event[0] != '{' {
		return devicetotp.Event{}, false, nil
	}
	var v struct {
		Op                 devicetotp.Op
		At                 time.Time
		Account            string
		Code               devicetotp.Code
		Device             string
		Replaced           bool
		Revoked            []string
		Evicted            []string
		RotationsConfirmed []string
		OTP                factor
		Factors            []factor
	}
	if err := json.Unmarshal(l.Event, &v); err != nil {
		return devicetotp.Event{}, false, fmt.Errorf("operations: an Event of the log: %w", err)
	}
	if v.Op == "" {
		return devicetotp.Event{}, false, nil
	}
	e = devicetotp.Event{
		Op: v.Op, At: v.At, AccountID: v.Account, Code: v.Code, DeviceID: v.Device, Replaced: v.Replaced,
		Revoked: v.Revoked, Evicted: v.Evicted, RotationsConfirmed: v.RotationsConfirmed,
	}
	v.OTP.Factor = credential.FactorOTP.String()
	for _, f := range append(v.Factors, v.OTP) {
		if f.Factor == credential.FactorOTP.String() && f.Result == devicetotp.ResultValid.String() {
			e.Factors = append(e.Factors, devicetotp.FactorResult{Factor: credential.FactorOTP, Result: devicetotp.ResultValid, Kind: f.Kind})
		}
	}
	return e, true, nil
}

// factor is a FactorResult as it is logged.
type factor struct{ Factor, Result, Kind string }
