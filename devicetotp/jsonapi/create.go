package jsonapi

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/internal/deviceid"
	totperrors "example.com/devicetotp/errors"
)

// The attributes of a device that is asked for.
const (
	attributeOTP      = "otp"
	attributePassword = "password"
	attributePIN      = "pin"
)

// create is the operation of the published description. Its clients can read no
// other statuses than these.
func create(issuer Creator) operation {
	return operation{
		method: http.MethodPost, scope: ScopeCreate, takes: MediaType, success: http.StatusCreated,
		refusals: []int{
			http.StatusUnauthorized, http.StatusForbidden, http.StatusNotAcceptable, http.StatusUnsupportedMediaType,
			http.StatusUnprocessableEntity, http.StatusInternalServerError,
		},
		run: func(x *exchange) ([]byte, error) {
			device, err := x.create(issuer)
			if err != nil {
				return nil, err
			}
			return appendDevice(make([]byte, 0, 256), device), nil
		},
	}
}

func (x *exchange) create(issuer Creator) (devicetotp.DeviceTOTP, error) {
	var none devicetotp.DeviceTOTP
	data, err := x.readData()
	if err != nil {
		return none, err
	}
	wish, err := readWish(data)
	if err != nil {
		return none, err
	}
	device, err := issuer.Create(x.ctx, wish.request(x.principal, x.graceClosed()))
	if err != nil {
		p := domainProblem(err)
		p.Source = wish.sourceOf(p.Code)
		return none, p
	}
	if !complete(device, wish.id) {
		return none, &Problem{Code: totperrors.CodeInternal, Err: errIncompleteDevice}
	}
	return device, nil
}

// graceClosed reports whether a device may not be created without a credential.
func (x *exchange) graceClosed() bool {
	return !x.config.IgnoreScopes && !slices.Contains(x.principal.Scopes, ScopeCreateAfterLogin)
}

var errIncompleteDevice = errors.New("devicetotp/jsonapi: the Creator returned neither a complete device nor an error")

// complete reports whether d can be answered to a request for the id asked, which
// may be "". A client that is given an empty secret would generate codes that
// anyone can compute.
func complete(d devicetotp.DeviceTOTP, asked string) bool {
	_, isUUID := deviceid.Parse(d.ID)
	return isUUID && (asked == "" || d.ID == strings.ToLower(asked)) &&
		d.Secret.Reveal() != "" && d.Period >= time.Second && d.Period%time.Second == 0 && (d.Digits == 6 || d.Digits == 8) &&
		d.Algorithm.SecretSize() > 0
}

// wish is what a body asks for, and which of its members are there to be pointed
// at.
type wish struct {
	id                 string
	otp, password, pin credential.Secret
	hasID              bool
	hasAttributes      bool
}

// readWish reads data, and returns every fault it has.
func readWish(data object) (wish, error) {
	var d wish
	var faults problems
	readType(data, &faults)
	d.readID(data.get("id"), &faults)
	d.readAttributes(data, &faults)
	if len(faults) > 0 {
		return wish{}, faults
	}
	return d, nil
}

func (d *wish) readID(v value, faults *problems) {
	d.hasID = v != nil
	if v == nil || v.isNull() {
		return
	}
	s, _ := readString(v)
	// The Issuer checks it too; here it is reported together with the other faults.
	if _, ok := deviceid.Parse(string(s)); !ok {
		faults.add(totperrors.CodeInvalidID, pointerID, detailOptionalID)
		return
	}
	d.id = string(s)
}

func (d *wish) readAttributes(data object, faults *problems) {
	d.hasAttributes = data.get("attributes") != nil
	attributes := readAttributes(data, faults)
	d.otp = readSecret(attributes, attributeOTP, faults)
	d.password = readSecret(attributes, attributePassword, faults)
	d.pin = readSecret(attributes, attributePIN, faults)
}

// readSecret returns the attribute of that name: absent if it is null or not
// there, present even if it is "".
func readSecret(attributes object, name string, faults *problems) credential.Secret {
	s, ok := readAttribute(attributes, name, faults)
	if !ok {
		return credential.Secret{}
	}
	return credential.NewSecret(s)
}

// request is what the Issuer gets.
func (d *wish) request(p Principal, noGrace bool) devicetotp.CreateRequest {
	return devicetotp.CreateRequest{
		AccountID:       p.AccountID,
		DeviceID:        d.id,
		OTP:             d.otp,
		Password:        d.password,
		PIN:             d.pin,
		NoGrace:         noGrace,
		AuthenticatedAt: p.AuthenticatedAt,
	}
}

// sourceOf points at what a refusal of the Issuer is about. It follows from
// the request alone, so that it tells nothing about the account.
func (d *wish) sourceOf(code totperrors.Code) Source {
	switch code {
	case totperrors.CodeInvalidCredentials:
		return Pointer(d.presentedPointer())
	case totperrors.CodeCredentialsRequired:
		return Pointer(existing(d.hasAttributes, pointerAttributes))
	case totperrors.CodeInvalidID, totperrors.CodeIDInUse:
		return Pointer(existing(d.hasID, pointerID))
	default:
		return Source{}
	}
}

// presentedPointer points to the one presented attribute, or to all of them.
func (d *wish) presentedPointer() string {
	pointer, presented := "", 0
	for _, a := range []struct {
		name   string
		secret credential.Secret
	}{{attributeOTP, d.otp}, {attributePassword, d.password}, {attributePIN, d.pin}} {
		if a.secret.Present() {
			pointer = pointerAttributes + "/" + a.name
			presented++
		}
	}
	if presented != 1 {
		return existing(d.hasAttributes, pointerAttributes)
	}
	return pointer
}
