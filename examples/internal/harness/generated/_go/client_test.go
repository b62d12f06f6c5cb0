package client

// The types and the client are generated beside this file: see ../run.

import (
	"context"
	"net/http"
	"os"
	"testing"
)

const (
	id    = "738e379f-fe30-45ab-819c-ba88804b6368"
	empty = "00000000-0000-4000-8000-000000000000"
)

func clientOf(t *testing.T, token string) *ClientWithResponses {
	t.Helper()
	bearer := func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
	c, err := NewClientWithResponses(os.Getenv("BASE")+"/user/2025-1", WithRequestEditorFn(bearer))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// device asks for a device with a PIN.
func device(id, pin string) DeviceTOTPRequest {
	var r DeviceTOTPRequest
	r.Data.Type = ResourceTypeDeviceTOTP
	r.Data.Id = &id
	r.Data.Attributes = &struct {
		Otp      *string `json:"otp,omitempty"`
		Password *string `json:"password,omitempty"`
		Pin      *string `json:"pin,omitempty"`
	}{Pin: &pin}
	return r
}

// only returns the code of the one error; the type of the code is the document's.
func only(t *testing.T, errs *Errors) ErrorCode {
	t.Helper()
	if errs == nil || len(errs.Errors) != 1 || errs.Errors[0].Id == "" || errs.Errors[0].Detail == "" {
		t.Fatalf("not one error: %+v", errs)
	}
	return errs.Errors[0].Code
}

func TestDeviceFromItsBirthToItsEnd(t *testing.T) {
	ctx, c := context.Background(), clientOf(t, "good")
	created, err := c.CreateDeviceTOTPWithApplicationVndAPIPlusJSONBodyWithResponse(ctx, nil, device(id, "8299"))
	if err != nil || created.ApplicationvndApiJSON201 == nil {
		t.Fatalf("%v %s", err, created.Body)
	}
	if d := created.ApplicationvndApiJSON201.Data; d.Id != id || d.Attributes.Algorithm != SHA1 || d.Attributes.Secret == "" || d.Attributes.Period != 30 {
		t.Errorf("%+v", d)
	}

	var change DeviceTOTPChange
	name := "phone"
	change.Data.Type, change.Data.Id = ResourceTypeDeviceTOTP, id
	change.Data.Attributes = &struct {
		Name *string `json:"name,omitempty"`
	}{&name}
	renamed, err := c.RenameDeviceTOTPWithApplicationVndAPIPlusJSONBodyWithResponse(ctx, id, nil, change)
	if err != nil || renamed.ApplicationvndApiJSON200 == nil || renamed.ApplicationvndApiJSON200.Data.Attributes.Name != name {
		t.Fatalf("%v %s", err, renamed.Body)
	}
	conflict, err := c.RenameDeviceTOTPWithApplicationVndAPIPlusJSONBodyWithResponse(ctx, empty, nil, change)
	if err != nil || conflict.StatusCode() != 409 || only(t, conflict.ApplicationvndApiJSON409) != ErrorCodeInvalidId {
		t.Errorf("%v %s", err, conflict.Body)
	}

	list, err := c.ListDeviceTOTPsWithResponse(ctx, nil)
	if err != nil || list.ApplicationvndApiJSON200 == nil || len(list.ApplicationvndApiJSON200.Data) != 1 {
		t.Fatalf("%v %s", err, list.Body)
	}
	if d := list.ApplicationvndApiJSON200.Data[0]; d.Id != id || d.Attributes.Name != name || d.Attributes.LastUsedAt != nil || d.Attributes.CreatedAt.IsZero() {
		t.Errorf("%+v", d)
	}

	for range 2 {
		revoked, err := c.RevokeDeviceTOTPWithResponse(ctx, id, nil)
		if err != nil || revoked.StatusCode() != 204 {
			t.Errorf("%v %d %s", err, revoked.StatusCode(), revoked.Body)
		}
	}
	gone, err := c.GetDeviceTOTPWithResponse(ctx, id, nil)
	if err != nil || gone.StatusCode() != 404 || only(t, gone.ApplicationvndApiJSON404) != ErrorCodeNotFound {
		t.Errorf("%v %s", err, gone.Body)
	}
}

func TestRefusalsHaveTypes(t *testing.T) {
	ctx := context.Background()
	denied, err := clientOf(t, "good").CreateDeviceTOTPWithApplicationVndAPIPlusJSONBodyWithResponse(ctx, nil, device(empty, "0000"))
	if err != nil || denied.StatusCode() != 403 || only(t, denied.ApplicationvndApiJSON403) != ErrorCodeInvalidCredentials {
		t.Errorf("%v %s", err, denied.Body)
	}
	if source := denied.ApplicationvndApiJSON403.Errors[0].Source; source == nil || source.Pointer == nil || *source.Pointer != "/data/attributes/pin" {
		t.Errorf("%s", denied.Body)
	}
	invalid, err := clientOf(t, "good").CreateDeviceTOTPWithApplicationVndAPIPlusJSONBodyWithResponse(ctx, nil, device("7", "8299"))
	if err != nil || invalid.StatusCode() != 422 || only(t, invalid.ApplicationvndApiJSON422) != ErrorCodeInvalidId {
		t.Errorf("%v %s", err, invalid.Body)
	}
	unknown, err := clientOf(t, "bad").ListDeviceTOTPsWithResponse(ctx, nil)
	if err != nil || unknown.StatusCode() != 401 || only(t, unknown.ApplicationvndApiJSON401) != ErrorCodeUnauthorized {
		t.Errorf("%v %s", err, unknown.Body)
	}
	narrow, err := clientOf(t, "narrow").ListDeviceTOTPsWithResponse(ctx, nil)
	if err != nil || narrow.StatusCode() != 403 || only(t, narrow.ApplicationvndApiJSON403) != ErrorCodeInsufficientScope {
		t.Errorf("%v %s", err, narrow.Body)
	}
}
