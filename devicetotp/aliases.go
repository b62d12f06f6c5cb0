package devicetotp

import (
	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
	totperrors "example.com/devicetotp/errors"
)

// What a host plugs in.
type (
	// CredentialStore is [credential.Store].
	CredentialStore = credential.Store
	// SecretSource is [credential.SecretSource].
	SecretSource = credential.SecretSource
	// Clock is [clock.Clock].
	Clock = clock.Clock
)

// What a host handles, so that it need not import a package called errors.
type (
	// Error is [totperrors.Error]: the operation, the code, the field at fault,
	// the time to wait and the cause. Find it with errors.As. The names of fields,
	// such as [totperrors.FieldDeviceID], are constants of package errors.
	Error = totperrors.Error
	// Code is [totperrors.Code].
	Code = totperrors.Code
	// Op is [totperrors.Op].
	Op = totperrors.Op
)

// The codes of errors, as package errors describes them.
const (
	CodeInvalidID           = totperrors.CodeInvalidID
	CodeIDInUse             = totperrors.CodeIDInUse
	CodeInvalidArgument     = totperrors.CodeInvalidArgument
	CodeNotFound            = totperrors.CodeNotFound
	CodeInvalidCredentials  = totperrors.CodeInvalidCredentials
	CodeCredentialsRequired = totperrors.CodeCredentialsRequired
	CodeTooManyAttempts     = totperrors.CodeTooManyAttempts
	CodeAccountLocked       = totperrors.CodeAccountLocked
	CodeDeviceLimitReached  = totperrors.CodeDeviceLimitReached
	CodeUnavailable         = totperrors.CodeUnavailable
	CodeInternal            = totperrors.CodeInternal
)

// The operations, as Event and Error name them.
const (
	OpNewIssuer = totperrors.OpNewIssuer
	OpCreate    = totperrors.OpCreate
	OpVerify    = totperrors.OpVerify
	OpAddCode   = totperrors.OpAddCode
	OpUnblock   = totperrors.OpUnblock
	OpInspect   = totperrors.OpInspect
	OpProve     = totperrors.OpProve
	OpRename    = totperrors.OpRename
	OpRevoke    = totperrors.OpRevoke
	OpRotate    = totperrors.OpRotate
	OpImport    = totperrors.OpImport
	OpReseal    = totperrors.OpReseal

	OpReplaceRecoveryCodes = totperrors.OpReplaceRecoveryCodes
)

// Classes of errors, for errors.Is.
var (
	// ErrDenied matches every refusal: HTTP 403.
	ErrDenied = totperrors.ErrDenied
	// ErrInvalid matches every request that cannot be processed as sent: HTTP 422.
	ErrInvalid = totperrors.ErrInvalid
)

// CodeOf returns the code of err, or "" if and only if err is nil.
func CodeOf(err error) Code { return totperrors.CodeOf(err) }
