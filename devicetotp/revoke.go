package devicetotp

import (
	"context"
	"fmt"
	"slices"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp/internal/deviceid"
	totperrors "example.com/devicetotp/errors"
)

// RevokeRequest names the devices to remove.
type RevokeRequest struct {
	// AccountID is the account that the host established.
	AccountID string
	// DeviceIDs names the devices, as [Issuer.Inspect] returned them: 1 to 100
	// UUIDs of any case. There is no way to say "all": a retry would take a device
	// that was made meanwhile.
	DeviceIDs []string
	// WithMadeBy also takes every device that was created on a code of one that
	// goes, and every device that was created on a code of those, and so on, also if
	// one between them was removed before.
	WithMadeBy bool
	// CreatedUntil is the latest DeviceOverview.CreatedAt of the named devices.
	// One that was created later, in whole seconds, is another device of the same
	// id, and stays. If zero, whichever device has the id now is taken; that makes
	// a difference only to a request that is sent again after Policy.RetryWindow.
	CreatedUntil time.Time
}

// Revoked are the ids of the devices that were removed, oldest first.
type Revoked struct {
	// DeviceIDs are those that the request named, in lower case and each once.
	DeviceIDs []string
	// MadeBy are those that went with them, because of WithMadeBy.
	MadeBy []string
}

// Revoke removes devices and returns which. Their codes are refused from the
// next request on. An id that the account has no device of is no error, is not
// returned, and takes nothing with it: a host that answers 404 then looks for
// the id in Revoked.DeviceIDs. A retry finds nothing there either.
//
// The id of a revoked device stays taken for Policy.RetryWindow, so that a late
// retry of the Create that made it does not bring it back. It takes the place of
// a device until then. What the device counted against grace stays counted.
//
// Revoke works on a locked account, on devices whose secret does not open, and
// without room for what must be remembered. Who may call it is the host's to
// decide: see [Issuer.Prove] where that must be confirmed.
//
// A retry is harmless: for Policy.RetryWindow there can be no other device of
// these ids, and afterwards CreatedUntil tells them apart. It returns only what it
// took itself, so nothing if the first request took effect.
//
// Errors: invalid-argument (DeviceIDs are not 1 to 100; or AccountID, wrapping
// credential.ErrNotFound, if there is no such account), invalid-id (one of
// DeviceIDs is not a UUID), unavailable, internal-error.
func (i *Issuer) Revoke(ctx context.Context, r RevokeRequest) (Revoked, error) {
	o := &revoke{request: r}
	o.start(ctx, i, OpRevoke, r.AccountID)
	return perform(o)
}

// maxRevocations is how many devices one request may name.
const maxRevocations = credential.MaxDevices

// revoke is one Revoke.
type revoke struct {
	call
	request RevokeRequest
	ids     []string // in lower case
}

func (o *revoke) check() error {
	if n := len(o.request.DeviceIDs); n < 1 || n > maxRevocations {
		return o.Argument(totperrors.FieldDeviceIDs, fmt.Errorf("are %d, must be from 1 to %d", n, maxRevocations))
	}
	for _, given := range o.request.DeviceIDs {
		id, ok := deviceid.Parse(given)
		if !ok {
			return o.Fail(CodeInvalidID, totperrors.FieldDeviceIDs, 0)
		}
		o.ids = append(o.ids, id)
	}
	return nil
}

func (o *revoke) decide(a *credential.Account) (answer[Revoked], bool) {
	if !o.Known {
		return answer[Revoked]{err: o.managed(a)}, false
	}
	var out answer[Revoked]
	goes := o.chosen(&a.State)
	passOn(a.State.Devices, goes)
	a.State.Devices = slices.DeleteFunc(a.State.Devices, func(d credential.Device) bool {
		if !goes[d.ID] {
			return false
		}
		if err := o.rememberRevoked(&a.State, &d); err != nil {
			out.event.Unreadable = append(out.event.Unreadable, Unreadable{Factor: credential.FactorOTP, DeviceID: d.ID, Err: err})
		}
		out.event.Revoked = append(out.event.Revoked, d.ID)
		if slices.Contains(o.ids, d.ID) {
			out.value.DeviceIDs = append(out.value.DeviceIDs, d.ID)
		} else {
			out.value.MadeBy = append(out.value.MadeBy, d.ID)
		}
		return true
	})
	return out, true
}

// chosen returns the ids of the devices that go: those that are named and, if
// that is asked for, those that were made on their codes.
func (o *revoke) chosen(s *credential.State) map[string]bool {
	goes := map[string]bool{}
	for i := range s.Devices {
		if d := &s.Devices[i]; o.named(d) {
			goes[d.ID] = true
		}
	}
	for more := o.request.WithMadeBy; more; {
		more = false
		for i := range s.Devices {
			if d := &s.Devices[i]; goes[d.MadeBy] && !goes[d.ID] && !o.newer(d) {
				goes[d.ID], more = true, true
			}
		}
	}
	return goes
}

// passOn lets what a device that goes has made count as made by the one that made
// that device. Otherwise whoever removes a device from the middle of a chain would
// keep the rest of it from WithMadeBy.
func passOn(devices []credential.Device, goes map[string]bool) {
	madeBy := map[string]string{}
	for i := range devices {
		if d := &devices[i]; goes[d.ID] && d.MadeBy != "" {
			madeBy[d.ID] = d.MadeBy
		}
	}
	for i := range devices {
		for range madeBy { // a chain has no more links, and only a row that was edited has a circle
			by, ok := madeBy[devices[i].MadeBy]
			if !ok {
				break
			}
			devices[i].MadeBy = by
		}
	}
}

func (o *revoke) named(d *credential.Device) bool {
	return slices.Contains(o.ids, d.ID) && !o.newer(d)
}

// newer reports whether the request names d by its id, and means an older device.
// Whole seconds are compared, because some hosts keep no more of a time.
func (o *revoke) newer(d *credential.Device) bool {
	until := o.request.CreatedUntil
	return slices.Contains(o.ids, d.ID) && !until.IsZero() && d.CreatedAt.Unix() > until.Unix()
}
