package devicetotp

import (
	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
	totperrors "example.com/devicetotp/errors"
)

// The collaborators of an [Issuer], under the names a host uses here.
type (
	// CredentialStore is [credential.Store].
	CredentialStore = credential.Store
	// SecretSource is [credential.SecretSource].
	SecretSource = credential.SecretSource
	// Clock is [clock.Clock].
	Clock = clock.Clock
	// Secret is [credential.Secret].
	Secret = credential.Secret
	// Algorithm is [credential.Algorithm].
	Algorithm = credential.Algorithm
	// Basis is [credential.Basis].
	Basis = credential.Basis
	// Error is [totperrors.Error]: the operation, the code, the field at fault,
	// the time to wait and the cause. Get at it with errors.As.
	Error = totperrors.Error
	// Code is [totperrors.Code]. The codes are constants of that package.
	Code = totperrors.Code
)

// Match these with errors.Is. See package errors.
var (
	// ErrDenied matches every refusal: HTTP 403.
	ErrDenied = totperrors.ErrDenied
	// ErrInvalid matches every request that cannot be followed: HTTP 422.
	ErrInvalid = totperrors.ErrInvalid
)

// CodeOf is [totperrors.CodeOf].
func CodeOf(err error) Code { return totperrors.CodeOf(err) }
