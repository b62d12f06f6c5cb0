package jsonapi

import (
	"net/http"

	"example.com/devicetotp/devicetotp"
)

// revoke removes the device of the address. The response is the same where
// there was none, so that a retry gets what the first request got.
func revoke(issuer Manager) operation {
	return operation{
		method: http.MethodDelete, scope: ScopeManage, success: http.StatusNoContent,
		refusals: []int{
			http.StatusUnauthorized, http.StatusForbidden, http.StatusNotAcceptable, http.StatusInternalServerError,
		},
		run: func(x *exchange) ([]byte, error) {
			id := x.addressed()
			if id == "" {
				return nil, nil
			}
			_, err := issuer.Revoke(x.ctx, devicetotp.RevokeRequest{AccountID: x.principal.AccountID, DeviceIDs: []string{id}})
			if err != nil && !unknownAccount(err) {
				return nil, domainProblem(err)
			}
			return nil, nil
		},
	}
}
