package main

import (
	"context"
	"database/sql"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// overloadWorld is an issuer with all defaults, accounts for the stream and, behind
// them, accounts with a password.
type overloadWorld struct {
	issuer     *devicetotp.Issuer
	db         *sql.DB // nil in memory
	onPostgres bool
}

func (c overloadConfig) world(ctx context.Context) (w overloadWorld, err error) {
	keys, _, err := newKeys()
	if err != nil {
		return w, err
	}
	hash, err := verifier.DefaultHasher().Hash(ctx, credential.NewSecret(overloadPassword))
	if err != nil {
		return w, err
	}
	store, put, err := c.open(ctx, &w)
	if err != nil {
		return w, err
	}
	for i := range c.Stream + c.Creates {
		a, err := newAccount(keys, "", i, 1)
		if err != nil {
			return w, err
		}
		a.PasswordHash = hash
		if err := put(ctx, a); err != nil {
			return w, err
		}
	}
	w.issuer, err = devicetotp.NewIssuer(store, keys, devicetotp.Config{})
	return w, err
}

// open returns the empty store, and what puts an account into it.
func (c overloadConfig) open(ctx context.Context, w *overloadWorld) (credential.Store, func(context.Context, credential.Account) error, error) {
	to := target{sqlstore.DialectPostgres, "pgx", c.DSN}
	switch c.Store {
	case storeMemory:
		memory := memstore.New()
		return memory, memory.Replace, nil
	case storeSQLite:
		to = target{sqlstore.DialectSQLite, "sqlite", c.DSN}
	}
	var err error
	if w.db, err = to.open(streamConns); err != nil {
		return nil, nil, err
	}
	w.onPostgres = to.dialect == sqlstore.DialectPostgres
	table, err := sqlstore.New(ctx, w.db, to.dialect, sqlstore.Config{})
	if err != nil {
		return nil, nil, err
	}
	return table, func(ctx context.Context, a credential.Account) error {
		_, err := table.Insert(ctx, a)
		return err
	}, table.Migrate(ctx)
}
