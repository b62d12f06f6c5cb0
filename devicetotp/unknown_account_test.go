package devicetotp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
)

// The operations with which a host manages an account say of one that does not exist
// what a host asks for, in one form; the others do not say that it does not exist.
func TestAnUnknownAccountIsNotFoundWhereTheHostManagesIt(t *testing.T) {
	w := devicetotptest.New(t)
	ctx, i := t.Context(), w.Issuer
	errorOf := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"Inspect": errorOf(i.Inspect(ctx, "nobody")),
		"Revoke":  errorOf(i.Revoke(ctx, devicetotp.RevokeRequest{AccountID: "nobody", DeviceIDs: []string{deviceID}})),
		"Rename":  i.Rename(ctx, devicetotp.RenameRequest{AccountID: "nobody", DeviceID: deviceID, Name: "phone"}),
		"AddCode": errorOf(i.AddCode(ctx, devicetotp.AddCodeRequest{AccountID: "nobody", Kind: "account", Code: secret("526271"), TTL: time.Minute})),
		"Import":  errorOf(i.Import(ctx, devicetotp.ImportRequest{AccountID: "nobody", DeviceID: deviceID, Secret: secret("12345678901234567890"), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second})),
		"Unblock": i.Unblock(ctx, devicetotp.UnblockRequest{AccountID: "nobody"}),
		"Reseal":  errorOf(i.Reseal(ctx, "nobody")),

		"ReplaceRecoveryCodes": errorOf(i.ReplaceRecoveryCodes(ctx, devicetotp.RecoveryRequest{AccountID: "nobody"})),
	} {
		t.Run(name, func(t *testing.T) {
			refused := requireCode(t, devicetotp.CodeInvalidArgument, err)
			require.Equal(t, totperrors.FieldAccountID, refused.Field)
			require.ErrorIs(t, err, credential.ErrNotFound)
		})
	}
	for name, c := range map[string]struct {
		err  error
		code devicetotp.Code
	}{
		"Create": {errorOf(i.Create(ctx, devicetotp.CreateRequest{AccountID: "nobody", PIN: secret("8299")})), devicetotp.CodeInvalidCredentials},
		"Verify": {errorOf(i.Verify(ctx, devicetotp.VerifyRequest{AccountID: "nobody", Code: secret("526271")})), devicetotp.CodeInvalidCredentials},
		"Prove":  {errorOf(i.Prove(ctx, devicetotp.ProveRequest{AccountID: "nobody", PIN: secret("8299")})), devicetotp.CodeInvalidCredentials},
		"Rotate": {errorOf(i.Rotate(ctx, devicetotp.RotateRequest{AccountID: "nobody", DeviceID: deviceID, RotationID: otherID(1), PIN: secret("8299")})), devicetotp.CodeNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			requireCode(t, c.code, c.err)
			require.NotErrorIs(t, c.err, credential.ErrNotFound)
		})
	}
}
