package jsonapi

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"

	totperrors "example.com/devicetotp/errors"
)

// MaxBodyBytes is the longest body of a request that is read: 64 KiB.
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

// readData reads the body whole and returns the members of its resource object.
// Its error is a problem or several.
func (x *exchange) readData() (object, error) {
	if x.r.Body == nil {
		return nil, notADocument("The request has no body.")
	}
	if x.r.ContentLength > MaxBodyBytes {
		// Nothing of it has been read, so that a client that waits to be asked for it
		// is not asked; and the server need not wait for what is on its way.
		if x.r.ProtoMajor == 1 {
			x.w.Header().Set("Connection", "close")
		}
		return nil, tooLong()
	}
	text, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, MaxBodyBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, tooLong()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, notADocument("The body did not arrive in time.")
	case err != nil:
		return nil, notADocument("The body could not be read to its end.")
	default:
		return parseData(text)
	}
}

func tooLong() error {
	return notADocument("The body is longer than " + strconv.Itoa(MaxBodyBytes) + " bytes.")
}

// notADocument is the problem of a body that nothing can point into.
func notADocument(detail string) error { return &Problem{Code: CodeInvalidDocument, Detail: detail} }

// parseData returns the members of the resource object in text.
func parseData(text []byte) (object, error) {
	top, fault := parseJSON(text)
	if fault != "" {
		return nil, notADocument(fault)
	}
	var faults problems
	members := readObject(top, CodeInvalidDocument, pointerDocument, &faults)
	if len(faults) > 0 {
		return nil, faults
	}
	data := members.get("data")
	if data == nil {
		faults.add(CodeInvalidDocument, pointerDocument, "The document has no data.")
		return nil, faults
	}
	members = readObject(data, CodeInvalidDocument, pointerData, &faults)
	if len(faults) > 0 {
		return nil, faults
	}
	return members, nil
}

// readObject returns the members of v; none if it is at fault. Two of one name are a
// fault of the document wherever they are; anything but an object is one of the given
// code.
func readObject(v value, code totperrors.Code, pointer string, faults *problems) object {
	if !v.isObject() {
		faults.add(code, pointer, "This is not an object.")
		return nil
	}
	members, fault := v.object()
	if fault != "" {
		faults.add(CodeInvalidDocument, pointer, fault)
		return nil
	}
	return members
}

// readType checks that data has the one type there is.
func readType(data object, faults *problems) {
	v := data.get("type")
	if v == nil {
		faults.add(CodeInvalidType, pointerData, "The resource object has no type.")
		return
	}
	if s, ok := readString(v); !ok || string(s) != resourceType {
		faults.add(CodeInvalidType, pointerType, detailType)
	}
}

// readAttributes returns the attributes of data: none if they are null or not
// there.
func readAttributes(data object, faults *problems) object {
	v := data.get("attributes")
	if v == nil || v.isNull() {
		return nil
	}
	return readObject(v, CodeInvalidAttribute, pointerAttributes, faults)
}

// readAttribute returns the attribute of that name, a string. It is not ok if it is
// null or not there, or at fault.
func readAttribute(attributes object, name string, faults *problems) (s string, ok bool) {
	v := attributes.get(name)
	if v == nil || v.isNull() {
		return "", false
	}
	text, ok := readString(v)
	if !ok {
		faults.add(CodeInvalidAttribute, pointerAttributes+"/"+name, detailOptionalString)
	}
	return string(text), ok
}

func readString(v value) (s []byte, ok bool) {
	if !v.isString() {
		return nil, false
	}
	return v.text()
}

// existing returns the pointer if its member is there, or that of its parent.
func existing(there bool, pointer string) string {
	if there {
		return pointer
	}
	return pointerData
}
