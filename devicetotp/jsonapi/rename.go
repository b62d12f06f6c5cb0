package jsonapi

import (
	"errors"
	"net/http"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/internal/deviceid"
	totperrors "example.com/devicetotp/errors"
)

const (
	attributeName = "name"
	pointerName   = pointerAttributes + "/" + attributeName
)

// rename changes the device of the address, of which only the name can be
// changed, and responds with it. Retrying is harmless: it sets the same name
// again.
func rename(issuer Manager) operation {
	return operation{
		method: http.MethodPatch, scope: ScopeManage, takes: MediaType, success: http.StatusOK,
		refusals: []int{
			http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusNotAcceptable, http.StatusConflict,
			http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusInternalServerError,
		},
		run: func(x *exchange) ([]byte, error) { return x.rename(issuer) },
	}
}

func (x *exchange) rename(issuer Manager) ([]byte, error) {
	data, err := x.readData()
	if err != nil {
		return nil, err
	}
	id := x.addressed()
	change, err := readChange(data, id)
	if err != nil {
		return nil, err
	}
	if id != "" && change.named {
		err = issuer.Rename(x.ctx, devicetotp.RenameRequest{AccountID: x.principal.AccountID, DeviceID: id, Name: change.name})
	}
	switch {
	case unknownAccount(err):
		return nil, noDevice(err)
	case err != nil:
		p := domainProblem(err)
		var domain *totperrors.Error
		if errors.As(err, &domain) && domain != nil && domain.Field == totperrors.FieldName {
			p.Source = Pointer(pointerName)
		}
		return nil, p
	default:
		return x.device(issuer, id)
	}
}

// change is what a body asks for.
type change struct {
	name  string
	named bool // the body has a name
}

// readChange reads data, which must be of the device with that id, and returns every
// fault it has. That it is of another is only said of a document that has no fault.
func readChange(data object, id string) (change, error) {
	var c change
	var faults, conflicts problems
	readOwnType(data, &faults, &conflicts)
	readOwnID(data, id, &faults, &conflicts)
	c.name, c.named = readAttribute(readAttributes(data, &faults), attributeName, &faults)
	switch {
	case len(faults) > 0:
		return change{}, faults
	case len(conflicts) > 0:
		return change{}, conflicts
	default:
		return c, nil
	}
}

// readOwnType checks the type of data, which another one contradicts (JSON:API 1.1,
// updating resources).
func readOwnType(data object, faults, conflicts *problems) {
	if v := data.get("type"); v != nil && v.isString() {
		readType(data, conflicts)
		conflicts.setStatus(http.StatusConflict)
	} else {
		readType(data, faults)
	}
}

// readOwnID checks that data has the id of the address.
func readOwnID(data object, id string, faults, conflicts *problems) {
	v := data.get("id")
	if v == nil {
		faults.add(totperrors.CodeInvalidID, pointerData, "The resource object has no id.")
		return
	}
	s, ok := readString(v)
	if !ok {
		faults.add(totperrors.CodeInvalidID, pointerID, "The id must be a string.")
		return
	}
	// What is no id names no device, which is said where the device is looked for.
	if own, _ := deviceid.Parse(string(s)); own != id {
		conflicts.add(totperrors.CodeInvalidID, pointerID, "The id is not the one of the address.")
		conflicts.setStatus(http.StatusConflict)
	}
}

func (ps problems) setStatus(status int) {
	for _, p := range ps {
		p.Status = status
	}
}
