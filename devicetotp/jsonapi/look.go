package jsonapi

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/internal/deviceid"
	totperrors "example.com/devicetotp/errors"
)

// list answers with the devices of the account, oldest first. A device that a request
// which presents nothing would be given is not among them: whoever holds the token
// could have its secret with its id.
func list(issuer Manager) operation {
	return operation{
		method: http.MethodGet, scope: ScopeRead, success: http.StatusOK,
		refusals: []int{
			http.StatusUnauthorized, http.StatusForbidden, http.StatusNotAcceptable, http.StatusInternalServerError,
		},
		run: func(x *exchange) ([]byte, error) {
			devices, err := x.devices(issuer)
			if err != nil {
				return nil, err
			}
			return appendList(make([]byte, 0, 64+256*len(devices)), devices), nil
		},
	}
}

// get answers with the device of the address. Who asks for it knows its id, so that
// nothing needs to be kept back.
func get(issuer Manager) operation {
	return operation{
		method: http.MethodGet, scope: ScopeRead, success: http.StatusOK,
		refusals: []int{
			http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusNotAcceptable, http.StatusInternalServerError,
		},
		run: func(x *exchange) ([]byte, error) { return x.device(issuer, x.addressed()) },
	}
}

// devices returns the devices of the account. To the caller, an account that
// the store does not know looks like one without devices.
func (x *exchange) devices(issuer Manager) ([]devicetotp.DeviceOverview, error) {
	overview, err := issuer.Inspect(x.ctx, x.principal.AccountID)
	switch {
	case unknownAccount(err):
		return nil, nil
	case err != nil:
		return nil, domainProblem(err)
	default:
		return overview.Devices, nil
	}
}

// device returns the document of the device with an id in lower case, which may be
// that of none.
func (x *exchange) device(issuer Manager, id string) ([]byte, error) {
	devices, err := x.devices(issuer)
	if err != nil {
		return nil, err
	}
	for i := range devices {
		if id != "" && devices[i].ID == id {
			return appendOne(make([]byte, 0, 320), &devices[i]), nil
		}
	}
	return nil, noDevice(nil)
}

func noDevice(cause error) error {
	return &Problem{Code: totperrors.CodeNotFound, Detail: detailNoDevice, Err: cause}
}

// addressed returns the id that the path of the request ends in, in lower case; "" if
// that is no id, and so not that of any device.
func (x *exchange) addressed() string {
	path := x.r.URL.EscapedPath() // so that a slash within the id is not taken for the end of a segment
	segment, err := url.PathUnescape(path[strings.LastIndexByte(path, '/')+1:])
	if err != nil {
		return ""
	}
	id, _ := deviceid.Parse(segment)
	return id
}

// unknownAccount reports whether err says that the store does not know the account.
func unknownAccount(err error) bool {
	var domain *totperrors.Error
	return errors.As(err, &domain) && domain != nil && domain.Code == totperrors.CodeInvalidArgument &&
		domain.Field == totperrors.FieldAccountID && errors.Is(domain.Err, credential.ErrNotFound)
}
