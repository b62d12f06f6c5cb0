package devicetotp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	totperrors "example.com/devicetotp/errors"
)

// What the truth table of Verify has found, each in a test of its own.

// A device that has seen a hundred wrong values is the host's to unblock. A wait of
// its named counter used to be answered, which ends and helps nobody.
func TestVerify_NoWaitIsNamedWhereNoneHelps(t *testing.T) {
	h := newHousehold(t)
	changeState(t, h.World, func(s *credential.State) {
		s.Devices[0].Attempts.Failures = 100
		s.Devices[0].Named = credential.Attempts{Failures: 6, LastAt: h.Clock.Now()}
	})
	_, err := verify(t, h.World, otherID(0), h.code())
	require.Zero(t, requireCode(t, totperrors.CodeTooManyAttempts, err).RetryAfter)
	h.Clock.Advance(2 * time.Hour)
	_, err = verify(t, h.World, otherID(0), h.code())
	requireCode(t, totperrors.CodeTooManyAttempts, err)
}
