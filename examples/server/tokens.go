package main

import (
	"context"
	"crypto/sha256"

	"example.com/devicetotp/devicetotp/jsonapi"
)

// tokens stands in for a service's own authentication. It holds digests, so
// that neither looking one up nor a dump of the memory gives a token away.
type tokens map[[sha256.Size]byte]grant

// A grant is what one token is good for.
type grant struct {
	principal jsonapi.Principal
	linked    bool
}

func tokensOf(accounts []fileAccount) tokens {
	t := make(tokens, len(accounts))
	for _, a := range accounts {
		t[sha256.Sum256([]byte(a.token.Reveal()))] = grant{
			principal: jsonapi.Principal{AccountID: a.id, Scopes: a.scopes},
			linked:    a.linked,
		}
	}
	return t
}

func (t tokens) verify(_ context.Context, token string) (jsonapi.Principal, error) {
	g, known := t[sha256.Sum256([]byte(token))]
	switch {
	case !known:
		return jsonapi.Principal{}, jsonapi.ErrInvalidToken
	case !g.linked:
		return jsonapi.Principal{}, jsonapi.ErrMissingLinkedIdentity
	default:
		return g.principal, nil
	}
}
