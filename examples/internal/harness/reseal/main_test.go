package main

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// A short run: the long one is a command.
func TestShortRun(t *testing.T) {
	var out bytes.Buffer
	err := run(t.Context(), []string{"-accounts", "2000"}, &out)
	if errors.Is(err, pgtest.ErrNotInstalled) {
		pgtest.Skip(t, err)
	}
	require.NoError(t, err, "%s", &out)
	require.Regexp(t, `(?m)^errors of clients +0$`, out.String())
	require.Regexp(t, `(?m)^verified meanwhile +[1-9]`, out.String())
	require.Regexp(t, `(?m)^created meanwhile +[1-9]`, out.String())
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"-accounts", "79"}, {"-what"}} {
		require.Error(t, run(t.Context(), args, nil))
	}
}
