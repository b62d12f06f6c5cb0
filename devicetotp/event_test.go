package devicetotp_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
)

// The operator is told for which device a request was, and since when its caller
// is logged in, wherever the request ended.
func TestTheEventNamesTheDeviceWhereverTheRequestEnded(t *testing.T) {
	at := devicetotptest.Start.Add(-time.Hour)
	failed := devicetotptest.Fault{Err: errors.New("gone")}
	for name, c := range map[string]struct {
		account string
		store   []devicetotptest.Fault
		code    devicetotp.Code
	}{
		"before the clock is read": {"", nil, totperrors.CodeInternal},
		"at the Load":              {"acct", []devicetotptest.Fault{failed}, totperrors.CodeUnavailable},
		"at the Save":              {"acct", []devicetotptest.Fault{{}, failed}, totperrors.CodeUnavailable},
		"at the account":           {"locked", nil, totperrors.CodeAccountLocked},
		"at the answer":            {"acct", nil, ""},
	} {
		w := devicetotptest.New(t)
		w.Account("acct").RegisteredAgo(0)
		w.Account("locked").Locked(true)
		w.Store.Script(c.store...)
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: c.account, DeviceID: strings.ToUpper(deviceID), AuthenticatedAt: at})
		require.Equal(t, c.code, devicetotp.CodeOf(err), name)
		event := w.Events()[0]
		require.Equal(t, deviceID, event.DeviceID, name)
		require.Equal(t, at, event.AuthenticatedAt, name)
	}
	w := devicetotptest.New(t)
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: "not a UUID", AuthenticatedAt: at})
	requireCode(t, totperrors.CodeInvalidID, err)
	require.Empty(t, w.Events()[0].DeviceID)
	require.Equal(t, at, w.Events()[0].AuthenticatedAt)
}
