package jsonapi

import (
	"net/http"

	"example.com/devicetotp/devicetotp"
)

// revoke takes the device of the address away. That it is gone is the answer also
// where there was none, so that a repetition is answered as the first request was.
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
