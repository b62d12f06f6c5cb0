package jsonapi

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"example.com/devicetotp/devicetotp"
)

// appendDevice appends the document of a 201, for a device that is complete.
func appendDevice(b []byte, d devicetotp.DeviceTOTP) []byte {
	b = append(b, `{"data":`...)
	b = appendIdentity(b, d.ID)
	b = append(b, `"secret":`...)
	b = appendString(b, d.Base32())
	b = append(b, `,"period":`...)
	b = strconv.AppendInt(b, int64(d.Period/time.Second), 10)
	b = append(b, `,"digits":`...)
	b = strconv.AppendInt(b, int64(d.Digits), 10)
	b = append(b, `,"algorithm":`...)
	b = appendString(b, d.Algorithm.String())
	return append(b, `}}}`...)
}

// appendList appends the document of the devices that may be listed: of those that
// are open to a retry not even the id.
func appendList(b []byte, devices []devicetotp.DeviceOverview) []byte {
	b = append(b, `{"data":[`...)
	listed := 0
	for i := range devices {
		if devices[i].OpenToRetry {
			continue
		}
		if listed++; listed > 1 {
			b = append(b, ',')
		}
		b = appendOverview(b, &devices[i])
	}
	return append(b, `]}`...)
}

// appendOne appends the document of one device.
func appendOne(b []byte, d *devicetotp.DeviceOverview) []byte {
	b = append(b, `{"data":`...)
	b = appendOverview(b, d)
	return append(b, '}')
}

// appendOverview appends a device without its secret. What it was created on is
// left out too: it would tell that the account has a PIN.
func appendOverview(b []byte, d *devicetotp.DeviceOverview) []byte {
	b = appendIdentity(b, d.ID)
	b = append(b, `"name":`...)
	b = appendString(b, d.Name)
	b = append(b, `,"algorithm":`...)
	b = appendString(b, d.Algorithm.String())
	b = append(b, `,"digits":`...)
	b = strconv.AppendInt(b, int64(d.Digits), 10)
	b = append(b, `,"period":`...)
	b = strconv.AppendInt(b, int64(d.Period/time.Second), 10)
	b = append(b, `,"createdAt":`...)
	b = appendTime(b, d.CreatedAt)
	b = append(b, `,"lastUsedAt":`...)
	b = appendTime(b, d.LastUsedAt)
	b = append(b, `,"blockedUntil":`...)
	b = appendTime(b, blockedUntil(d))
	return append(b, `}}`...)
}

// appendIdentity begins a resource object, up to its first attribute.
func appendIdentity(b []byte, id string) []byte {
	b = append(b, `{"type":"`+resourceType+`","id":`...)
	b = appendString(b, id)
	return append(b, `,"attributes":{`...)
}

// endOfTime stands for a block that no time ends: the last second that RFC 3339 can
// write.
var endOfTime = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// blockedUntil returns the later end of both blocks of d: of codes that name it, and
// of those that do not, such as the OTP of a POST.
func blockedUntil(d *devicetotp.DeviceOverview) time.Time {
	named, unnamed := until(d.Blocked, d.BlockedUntil), until(d.Skipped, d.SkippedUntil)
	if named.After(unnamed) {
		return named
	}
	return unnamed
}

func until(blocked bool, end time.Time) time.Time {
	if blocked && end.IsZero() {
		return endOfTime
	}
	return end
}

// appendTime appends t as RFC 3339 has it, in UTC and whole seconds; null for none.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, time.RFC3339)
	return append(b, '"')
}

// appendString appends s as a JSON string. Most of what this package writes needs no
// escape; names come from people, and details may come from the service.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			escaped, _ := json.Marshal(s) // a string can always be marshalled
			return append(b, escaped...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
