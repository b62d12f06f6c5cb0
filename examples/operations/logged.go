package operations

import (
	"encoding/json"
	"fmt"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// Logged reads from a line that slog's JSONHandler wrote for an Event, under the key
// "event", what [Again] needs. It reports false for a line without an Event.
func Logged(line []byte) (e devicetotp.Event, ok bool, err error) {
	var l struct {
		Event *struct {
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
	}
	if err := json.Unmarshal(line, &l); err != nil {
		return devicetotp.Event{}, false, fmt.Errorf("operations: a line of the log: %w", err)
	}
	if l.Event == nil {
		return devicetotp.Event{}, false, nil
	}
	e = devicetotp.Event{
		Op: l.Event.Op, At: l.Event.At, AccountID: l.Event.Account, Code: l.Event.Code,
		DeviceID: l.Event.Device, Replaced: l.Event.Replaced,
		Revoked: l.Event.Revoked, Evicted: l.Event.Evicted, RotationsConfirmed: l.Event.RotationsConfirmed,
	}
	if otp := l.Event.OTP; otp != nil && otp.Result == devicetotp.ResultValid.String() {
		e.Factors = []devicetotp.FactorResult{{Factor: credential.FactorOTP, Result: devicetotp.ResultValid, Kind: otp.Kind}}
	}
	return e, true, nil
}
