package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

const (
	qrPixels     = 232 // 4 a module, and white around it, for labels as short as these
	demoLabel    = "devicetotp example"
	maxDemoInput = 4 << 10
)

// demoProofs has what the user typed; what is not in it was not presented.
type demoProofs struct {
	OTP      *string `json:"otp"`
	Password *string `json:"password"`
	PIN      *string `json:"pin"`
}

// handle answers with what a call returns, or refuses as the documented endpoint
// does. Secrets are in the body of the answer and nowhere else.
func (d *demo) handle(scope string, call demoCall) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &outcome{}
		r = jsonapi.WithRequestID(r.WithContext(context.WithValue(r.Context(), outcomeKey{}, seen)))
		answer, err := d.answer(w, r, scope, call)
		if err != nil {
			jsonapi.WriteError(w, r, seen.explain(err), d.opts)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(answer) // an error means that the client is gone
	})
}

// otp and pin are what the user meant: a code that is pasted as apps print it is no
// guess. A recovery code and a password stay as they are.
func (p demoProofs) otp() credential.Secret { return credential.TypedCode(credential.FromPtr(p.OTP)) }
func (p demoProofs) pin() credential.Secret { return credential.TypedCode(credential.FromPtr(p.PIN)) }

// A demoCall is what the page asks for.
type demoCall func(context.Context, jsonapi.Principal, demoProofs) (any, error)

func (d *demo) answer(w http.ResponseWriter, r *http.Request, scope string, call demoCall) (any, error) {
	principal, err := jsonapi.Authenticate(r, d.auth, scope, d.opts)
	if err != nil {
		return nil, err
	}
	var proofs demoProofs
	if err := readJSON(http.MaxBytesReader(w, r.Body, maxDemoInput), &proofs); err != nil {
		return nil, &totperrors.Error{Code: totperrors.CodeInvalidArgument, Err: err}
	}
	return call(r.Context(), principal, proofs)
}

// enrolAnswer has what an authenticator app needs: for its camera, for a tap on
// the device it runs on, and for typing.
type enrolAnswer struct {
	DeviceID string `json:"deviceId"`
	Basis    string `json:"basis"`
	Secret   string `json:"secret"`
	URI      string `json:"uri"`
	QR       string `json:"qr"` // a PNG, as a data: address
}

// enrol creates a device and draws its QR code, as the enrolment page of a service
// would.
func (d *demo) enrol(ctx context.Context, principal jsonapi.Principal, p demoProofs) (any, error) {
	device, err := d.issuer.Create(ctx, devicetotp.CreateRequest{
		AccountID: principal.AccountID,
		NoGrace:   !slices.Contains(principal.Scopes, jsonapi.ScopeCreateAfterLogin),
		OTP:       p.otp(),
		Password:  credential.FromPtr(p.Password),
		PIN:       p.pin(),
	})
	if err != nil {
		return nil, err
	}
	account := strings.ReplaceAll(principal.AccountID, ":", "_") // it separates labels
	uri, err := device.URI(demoLabel, account)
	if err != nil {
		return nil, err
	}
	qr, err := qrCode(device, account)
	return enrolAnswer{DeviceID: device.ID, Basis: device.Basis.String(), Secret: device.Base32(), URI: uri, QR: qr}, err
}

// qrCode draws the otpauth:// address of the device, for an app's camera.
func qrCode(d devicetotp.DeviceTOTP, account string) (string, error) {
	picture, err := d.QRCode(demoLabel, account, qrPixels)
	if err != nil {
		return "", err
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(picture), nil
}

// recoveryCodes makes new recovery codes. Whoever has one can create a device, so
// they are given against a credential, and not against one that the access token
// alone could have made.
func (d *demo) recoveryCodes(ctx context.Context, principal jsonapi.Principal, p demoProofs) (any, error) {
	proof, err := d.issuer.Prove(ctx, devicetotp.ProveRequest{
		AccountID: principal.AccountID,
		OTP:       p.otp(),
		Password:  credential.FromPtr(p.Password),
		PIN:       p.pin(),
	})
	switch {
	case err != nil:
		return nil, err
	case proof.RestsOnGrace:
		return nil, &jsonapi.Problem{
			Code:   devicetotp.CodeCredentialsRequired,
			Detail: "This code is of a device that was created without a credential. Present something else.",
		}
	}
	secrets, err := d.issuer.ReplaceRecoveryCodes(ctx, devicetotp.RecoveryRequest{AccountID: principal.AccountID})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Codes []string `json:"codes"`
	}
	for _, secret := range secrets {
		answer.Codes = append(answer.Codes, secret.Reveal())
	}
	return answer, nil
}

// demoRules are the rules of a server with the page, which hands out recovery
// codes.
func demoRules() *devicetotp.Policy {
	policy := devicetotp.DefaultPolicy()
	policy.OTPKinds = append(slices.Clone(policy.OTPKinds), verifier.KindRecovery)
	return &policy
}

// An outcome is what the Observer received of the request of a context.
type outcome struct{ spent bool }

type outcomeKey struct{}

// noteOutcome is called by the Observer, before the request is answered.
func noteOutcome(ctx context.Context, e devicetotp.Event) {
	seen, ok := ctx.Value(outcomeKey{}).(*outcome)
	if !ok {
		return
	}
	for _, f := range e.Factors {
		seen.spent = seen.spent || f.Factor == credential.FactorOTP && f.Result == devicetotp.ResultSpent
	}
}

// explain tells the user of a code that was right and is used up, where the library
// tells the host: of one-time codes that were sent. It tells nobody of the codes of
// devices, and neither does the page.
func (o *outcome) explain(err error) error {
	if !o.spent || !errors.Is(err, devicetotp.ErrDenied) {
		return err
	}
	p := jsonapi.ProblemOf(err)
	p.Detail = "This one-time code was right, and has been used. Ask for a new one."
	return p
}
