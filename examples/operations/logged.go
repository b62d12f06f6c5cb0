package operations

import (
	"encoding/json"
	"fmt"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// Logged reads from a line that slog's JSONHandler wrote for an Event, under the key
// "event", what [Again] needs. It reports false for a line without an Event: others may
// have something under that key too.
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
		OTP                *struct{ Result, Kind string }
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
	if v.OTP != nil && v.OTP.Result == devicetotp.ResultValid.String() {
		e.Factors = []devicetotp.FactorResult{{Factor: credential.FactorOTP, Result: devicetotp.ResultValid, Kind: v.OTP.Kind}}
	}
	return e, true, nil
}
