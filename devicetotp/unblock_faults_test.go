package devicetotp_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	totperrors "example.com/devicetotp/errors"
)

// The bug class: a repetition that undoes what came between. Sending an Unblock
// again is a new act and forgives again; but one Unblock is one act, however often
// the library saves for it. A guess that was counted after it took effect stays
// counted.
func TestUnblock_OneRequestForgivesOnce(t *testing.T) {
	for name, lie := range map[string]func(int) error{
		"lost answer": firstly(errUnclear), "lost as conflict": firstly(credential.ErrConflict),
	} {
		for _, others := range []int{0, 16} { // saves by others before the request looks
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHousehold(t)
					db := databaseOf(t, h.World, "acct")
					other := issuerOn(t, h.World, &process{database: db})
					guess := func() {
						_, err := other.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, PIN: secret("0000")})
						requireCode(t, totperrors.CodeInvalidCredentials, err)
					}
					guess()
					guess()
					p := &process{database: db, lie: lie}
					p.afterSave = func(n int) {
						if n > 1 {
							return
						}
						guess()
						for range others {
							require.NoError(t, addCodeAct("the same again", rightCode).run(t.Context(), other, h))
						}
					}
					err := issuerOn(t, h.World, p).Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"})
					if !isUnavailable(err) { // which says that it is not known
						require.NoError(t, err)
						require.Positive(t, p.acknowledged, "answered, and no Save of the request has returned nil")
					}
					require.Equal(t, 1, db.stored("acct").State.PIN.Failures)
				})
			})
		}
	}
}
