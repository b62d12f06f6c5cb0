package main

import (
	"fmt"

	"example.com/devicetotp/devicetotp"
)

// isKnown reports whether a replay knows what to do about an operation, which may be
// nothing.
func isKnown(op devicetotp.Op) bool {
	switch op {
	case opLock, opUnlock, opDelete, opRenameAccount,
		devicetotp.OpCreate, devicetotp.OpVerify, devicetotp.OpAddCode, devicetotp.OpUnblock, devicetotp.OpInspect, devicetotp.OpProve,
		devicetotp.OpRename, devicetotp.OpRevoke, devicetotp.OpRotate, devicetotp.OpImport, devicetotp.OpReseal, devicetotp.OpReplaceRecoveryCodes:
		return true
	}
	return false
}

// changes reports whether an operation removes something, or locks. If nobody knows
// whether it took effect, an operator must find out.
func changes(op devicetotp.Op) bool {
	switch op {
	case opLock, opUnlock, opDelete, opRenameAccount, devicetotp.OpRevoke, devicetotp.OpReplaceRecoveryCodes:
		return true
	}
	return false
}

// spends reports whether an operation may use a recovery code, confirm a rotation or
// replace a device. If its Event has CodeUnavailable, no later one says that it did:
// there may be very many of them, so the accounts are named and not the lines.
func spends(op devicetotp.Op) bool {
	switch op {
	case devicetotp.OpCreate, devicetotp.OpVerify, devicetotp.OpProve, devicetotp.OpRotate:
		return true
	}
	return false
}

// hasTime returns an error for an Event of something that was done at no time. The
// library writes none: this is a line of the service's own, which would count as one of
// before the backup. A request that was refused for its form has no time either.
func hasTime(e devicetotp.Event) error {
	if e.Code == "" && e.At.IsZero() {
		return fmt.Errorf("%w: this %s of account %q has no time", errRefused, e.Op, e.AccountID)
	}
	return nil
}

// canRepeat returns an error for an Event of between the two times that nobody can
// repeat: because of a misspelling, of a later version, or because nobody knows whether
// it took effect.
func canRepeat(e devicetotp.Event) error {
	switch {
	case !isKnown(e.Op):
		return fmt.Errorf("%w: %q is no operation that is known here, of account %q", errRefused, e.Op, e.AccountID)
	case e.Code == "" && e.AccountID == "":
		return fmt.Errorf("%w: this %s names no account", errRefused, e.Op)
	case e.Code == devicetotp.CodeUnavailable && changes(e.Op):
		return fmt.Errorf("%w: nobody knows whether this %s took effect: see account %q; if it did, repeat it, and then this replay", errRefused, e.Op, e.AccountID)
	}
	return nil
}
