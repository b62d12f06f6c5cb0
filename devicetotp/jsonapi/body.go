package jsonapi

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/internal/deviceid"
	totperrors "example.com/devicetotp/errors"
)

// MaxBodyBytes is how long the body of a request may be: 64 KiB.
const MaxBodyBytes = 64 << 10

// resourceType is the type of the resource object, in and out.
const resourceType = "deviceTOTP"

// JSON pointers (RFC 6901) into a request.
const (
	pointerDocument   = ""
	pointerData       = "/data"
	pointerType       = "/data/type"
	pointerID         = "/data/id"
	pointerAttributes = "/data/attributes"
)

// The attributes of a request.
const (
	attributeOTP      = "otp"
	attributePassword = "password"
	attributePIN      = "pin"
)

// document is what a body asks for, and which of its members are there to be
// pointed at.
type document struct {
	id                 string
	otp, password, pin credential.Secret
	hasID              bool
	hasAttributes      bool
}

// readDocument reads the body of r whole. Its error is a problem or several.
func readDocument(w http.ResponseWriter, r *http.Request) (document, error) {
	if r.Body == nil {
		return document{}, notADocument("The request has no body.")
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBodyBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return document{}, notADocument("The body is longer than " + strconv.Itoa(MaxBodyBytes) + " bytes.")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return document{}, notADocument("The body did not arrive in time.")
	case err != nil:
		return document{}, notADocument("The body could not be read to its end.")
	default:
		return parseDocument(text)
	}
}

// notADocument is the problem of a body that nothing can point into.
func notADocument(detail string) error { return problem{code: codeInvalidDocument, detail: detail} }

// parseDocument reads text, and returns every fault it has.
func parseDocument(text []byte) (document, error) {
	top, fault := parseJSON(text)
	if fault != "" {
		return document{}, notADocument(fault)
	}
	var doc document
	var faults problems
	if data, ok := readObject(top, codeInvalidDocument, pointerDocument, &faults); ok {
		doc.readTop(data, &faults)
	}
	if len(faults) > 0 {
		return document{}, faults
	}
	return doc, nil
}

// readObject returns the members of v. Two of one name are a fault of the
// document wherever they are; anything but an object is one of the given code.
func readObject(v value, code totperrors.Code, pointer string, faults *problems) (object, bool) {
	if !v.isObject() {
		faults.add(code, pointer, "This is not an object.")
		return nil, false
	}
	members, fault := v.object()
	if fault != "" {
		faults.add(codeInvalidDocument, pointer, fault)
		return nil, false
	}
	return members, true
}

func (d *document) readTop(top object, faults *problems) {
	data := top.get("data")
	if data == nil {
		faults.add(codeInvalidDocument, pointerDocument, "The document has no data.")
		return
	}
	if members, ok := readObject(data, codeInvalidDocument, pointerData, faults); ok {
		d.readData(members, faults)
	}
}

func (d *document) readData(data object, faults *problems) {
	readType(data.get("type"), faults)
	d.readID(data.get("id"), faults)
	d.readAttributes(data.get("attributes"), faults)
}

func readType(v value, faults *problems) {
	if v == nil {
		faults.add(codeInvalidType, pointerData, "The resource object has no type.")
		return
	}
	if s, ok := readString(v); !ok || string(s) != resourceType {
		faults.add(codeInvalidType, pointerType, "")
	}
}

func (d *document) readID(v value, faults *problems) {
	d.hasID = v != nil
	if v == nil || v.isNull() {
		return
	}
	s, _ := readString(v)
	// The Issuer checks it too; here it is reported together with the other faults.
	if _, ok := deviceid.Parse(string(s)); !ok {
		faults.add(totperrors.CodeInvalidID, pointerID, "")
		return
	}
	d.id = string(s)
}

func (d *document) readAttributes(v value, faults *problems) {
	d.hasAttributes = v != nil
	if v == nil || v.isNull() {
		return
	}
	attributes, ok := readObject(v, codeInvalidAttribute, pointerAttributes, faults)
	if !ok {
		return
	}
	d.otp = readSecret(attributes, attributeOTP, faults)
	d.password = readSecret(attributes, attributePassword, faults)
	d.pin = readSecret(attributes, attributePIN, faults)
}

// readSecret returns the attribute of that name: absent if it is null or not
// there, present even if it is "".
func readSecret(attributes object, name string, faults *problems) credential.Secret {
	v := attributes.get(name)
	if v == nil || v.isNull() {
		return credential.Secret{}
	}
	s, ok := readString(v)
	if !ok {
		faults.add(codeInvalidAttribute, pointerAttributes+"/"+name, "")
		return credential.Secret{}
	}
	return credential.NewSecret(string(s))
}

func readString(v value) (s []byte, ok bool) {
	if !v.isString() {
		return nil, false
	}
	return v.text()
}

// request is what the Issuer gets.
func (d *document) request(p Principal, noGrace bool) devicetotp.CreateRequest {
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
func (d *document) sourceOf(code totperrors.Code) source {
	switch code {
	case totperrors.CodeInvalidCredentials:
		return pointerSource(d.presentedPointer())
	case totperrors.CodeCredentialsRequired:
		return pointerSource(existing(d.hasAttributes, pointerAttributes))
	case totperrors.CodeInvalidID, totperrors.CodeIDInUse:
		return pointerSource(existing(d.hasID, pointerID))
	default:
		return source{}
	}
}

// presentedPointer is that of the one presented attribute, or of them all.
func (d *document) presentedPointer() string {
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

// existing returns the pointer if its member is there, or that of its parent.
func existing(there bool, pointer string) string {
	if there {
		return pointer
	}
	return pointerData
}
