package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/examples/internal/harness/bench/byhand"
	"example.com/devicetotp/verifier"
)

const (
	byUsual  = "usual"
	byFewest = "fewest"
)

// handCode is the one-time code of every account.
const handCode = "31415926"

// onStage is the instant of every request: within grace, and not in the first time
// step, whose code would be that of a clock that was never set.
var onStage = base.Add(time.Minute)

// A stage is a database with the tables of all three, and with a copy of each as it
// is before a turn.
type stage struct {
	on       target
	accounts int
	keys     *credential.Keyring
	handles  map[int]*sql.DB // by number of connections
	tables   []string
}

const oursTable = "ours"

func newStage(ctx context.Context, on target, accounts int) (*stage, error) {
	keys, _, err := newKeys()
	if err != nil {
		return nil, err
	}
	s := &stage{on: on, accounts: accounts, keys: keys, handles: map[int]*sql.DB{}, tables: append([]string{oursTable}, byhand.Tables...)}
	for _, conns := range connections {
		if s.handles[conns], err = on.handle(ctx, conns); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	if err := s.fill(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stage) close() (err error) {
	for _, db := range s.handles {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	return err
}

// fill makes the tables, with one account after the other, and their copies.
func (s *stage) fill(ctx context.Context) error {
	db := s.handles[1]
	store, err := sqlstore.New(ctx, db, s.on.dialect, sqlstore.Config{Table: oursTable})
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	hand := s.byHand(db)
	if err := hand.CreateTables(ctx); err != nil {
		return err
	}
	if err := s.each(ctx, db, func(tx *sql.Tx, i int) error { return s.add(ctx, tx, hand, i) }); err != nil {
		return err
	}
	for _, table := range s.tables {
		if _, err := db.ExecContext(ctx, "CREATE TABLE "+table+"_copy AS SELECT * FROM "+table); err != nil {
			return err
		}
	}
	return nil
}

// each calls do for every account, in one transaction.
func (s *stage) each(ctx context.Context, db *sql.DB, do func(tx *sql.Tx, i int) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	for i := range s.accounts {
		if err := do(tx, i); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// add adds an account to the tables of all: with one device that was never used,
// and a pending one-time code.
func (s *stage) add(ctx context.Context, tx *sql.Tx, hand byhand.Database, i int) error {
	a, err := newAccount(s.keys, passwordHash, i, 1)
	if err != nil {
		return err
	}
	code := credential.OneTimeCode{ID: "0123456789abcdef", Kind: verifier.KindAccount, ExpiresAt: onStage.Add(time.Hour)}
	scope := credential.Scope{Purpose: credential.PurposeOneTimeCode, AccountID: a.ID, Subject: code.ID}
	if code.Digest, err = s.keys.Digest(scope, credential.NewSecret(handCode)); err != nil {
		return err
	}
	a.State.Codes = append(a.State.Codes, code)
	state, err := a.State.MarshalBinary()
	if err != nil {
		return err
	}
	ours := []any{a.ID, a.RegisteredAt.Unix(), 0, a.PasswordHash, a.PINHash, false, state, a.Version}
	user, otp, device, err := hand.Rows(byhand.User{
		ID: a.ID, Registered: base, PasswordHash: passwordHash, Number: int64(i), Code: handCode,
		Device: byhand.Device{ID: fmt.Sprintf("00000000-0000-4000-9000-%012d", i), Secret: base32Secret},
	})
	if err != nil {
		return err
	}
	for at, row := range [][]any{ours, user, otp, device} {
		names := ""
		if at == 0 {
			names = " (" + strings.Join(columns, ", ") + ")"
		}
		//nolint:gosec // G201: the tables are ours
		insert := fmt.Sprintf("INSERT INTO %s%s VALUES (%s)", s.tables[at], names, s.marks(len(row)))
		if _, err := tx.ExecContext(ctx, insert, row...); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) marks(n int) string {
	var all []string
	for i := range n {
		mark := "?"
		if !s.on.mysql() {
			mark = fmt.Sprintf("$%d", i+1)
		}
		all = append(all, mark)
	}
	return strings.Join(all, ", ")
}

// reset makes every table what it was.
func (s *stage) reset(ctx context.Context) error {
	db := s.handles[1]
	for _, table := range s.tables {
		statements := []string{"TRUNCATE TABLE " + table, "INSERT INTO " + table + " SELECT * FROM " + table + "_copy"}
		if !s.on.mysql() {
			statements = append(statements, "VACUUM ANALYZE "+table)
		}
		for _, statement := range statements {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
	}
	if s.on.mysql() {
		return nil
	}
	_, err := db.ExecContext(ctx, "CHECKPOINT") // now, and not while something is measured
	return err
}

func (s *stage) byHand(db *sql.DB) byhand.Database {
	return byhand.Database{DB: db, MySQL: s.on.mysql(), Keys: s.keys, Now: func() time.Time { return onStage }}
}

// turn resets the tables and returns how many requests a second were answered, and
// the time of this process that each took.
func (s *stage) turn(ctx context.Context, who, op string, conns int, long time.Duration) (rate float64, cpu time.Duration, err error) {
	if err := s.reset(ctx); err != nil {
		return 0, 0, err
	}
	do, err := s.requests(ctx, s.handles[conns], who, op)
	if err != nil {
		return 0, 0, err
	}
	return exhaust(ctx, conns, s.accounts, long, do)
}

// requests returns the request of op for an account.
func (s *stage) requests(ctx context.Context, db *sql.DB, who, op string) (func(ctx context.Context, account int) error, error) {
	if who == loopOurs {
		return s.ours(ctx, db, op)
	}
	peer := service(who, s.byHand(db))
	code, err := handTOTP.Code(handTOTP.Step(onStage))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, account int) (err error) {
		switch id := accountID(account); op {
		case opCreate:
			_, err = peer.CreateOnGrace(ctx, id)
		case opCreateOTP:
			_, err = peer.CreateOnOTP(ctx, id, handCode)
		default:
			err = peer.Verify(ctx, id, code.Reveal())
		}
		return err
	}, nil
}

func (s *stage) ours(ctx context.Context, db *sql.DB, op string) (func(ctx context.Context, account int) error, error) {
	store, err := sqlstore.New(ctx, db, s.on.dialect, sqlstore.Config{Table: oursTable})
	if err != nil {
		return nil, err
	}
	now := clock.Func(func() time.Time { return onStage })
	issuer, err := devicetotp.NewIssuer(store, s.keys, devicetotp.Config{Clock: now})
	if err != nil {
		return nil, err
	}
	code, err := handTOTP.Code(handTOTP.Step(onStage))
	if err != nil {
		return nil, err
	}
	otp := credential.NewSecret(handCode)
	return func(ctx context.Context, account int) (err error) {
		switch id := accountID(account); op {
		case opCreate:
			_, err = issuer.Create(ctx, devicetotp.CreateRequest{AccountID: id})
		case opCreateOTP:
			_, err = issuer.Create(ctx, devicetotp.CreateRequest{AccountID: id, NoGrace: true, OTP: otp})
		default:
			_, err = issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: id, Code: code})
		}
		return err
	}, nil
}

// profile returns where the time of a request goes.
func (s *stage) profile(ctx context.Context, who, op string) (profile, error) {
	if err := s.reset(ctx); err != nil {
		return profile{}, err
	}
	db, noted, err := s.on.noted()
	if err != nil {
		return profile{}, err
	}
	defer db.Close()
	do, err := s.requests(ctx, db, who, op)
	if err != nil {
		return profile{}, err
	}
	next := 0
	return profileOf(ctx, noted, min(s.accounts, profileRequests), func(ctx context.Context) error {
		next++
		return do(ctx, inTurn(next-1, s.accounts))
	})
}
