package sqltest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/internal/hosttest"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/mariadbtest"
	"example.com/devicetotp/credential/storetest"
)

// galera is a database on every node of a cluster.
type galera struct {
	cluster *mariadbtest.Cluster
	nodes   []database
}

// One cluster through all that can happen to it, because starting one takes
// seconds.
func TestEngineGalera(t *testing.T) {
	g := &galera{cluster: mariadbtest.NeedCluster(t)}
	dsn, _, err := g.cluster.Nodes[0].CreateDatabase(t.Context())
	require.NoError(t, err)
	name := dsn[strings.LastIndex(dsn, "/"):]
	for _, node := range g.cluster.Nodes {
		at := mariadbtest.With(node.DSN()[:strings.LastIndex(node.DSN(), "/")]+name, "wsrep_sync_wait", "3")
		g.nodes = append(g.nodes, database{"mysql", at, sqlstore.DialectMySQL})
	}
	t.Run("settings", g.settings)
	t.Run("many processes migrate at once", g.migrate)
	t.Run("contract", g.contract)
	t.Run("change under way on another node", g.changeUnderWay)
	t.Run("host side", g.hostSide)
	t.Run("what was answered is seen by every node", g.fresh)
	t.Run("no quorum", g.noQuorum) // the last, because it takes two nodes away
}

func (g *galera) settings(t *testing.T) {
	for wait, right := range map[string]bool{"0": false, "1": false, "2": false, "4": false, "3": true, "7": true, "15": true} {
		err := newMySQL(t, mariadbtest.With(g.nodes[1].dsn, "wsrep_sync_wait", wait))
		if right {
			require.NoError(t, err, wait)
		} else {
			require.ErrorContains(t, err, `wsrep_sync_wait is "`+wait+`", must be 3 while wsrep_on is ON`)
		}
	}
}

func (g *galera) migrate(t *testing.T) {
	answers := make([]error, 4*len(g.nodes))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range answers {
		node := g.nodes[i%len(g.nodes)]
		store, err := sqlstore.New(t.Context(), node.open(t), node.dialect, sqlstore.Config{})
		require.NoError(t, err)
		wg.Go(func() {
			<-start
			answers[i] = store.Migrate(t.Context())
		})
	}
	close(start)
	wg.Wait()
	require.NoError(t, errors.Join(answers...))
}

// contract has handles on two nodes by turns, and the host on the third. A
// change that the host has begun is on the node of the last handle: its lock is
// not one of the whole cluster, see changeUnderWay.
func (g *galera) contract(t *testing.T) {
	var opened int
	storetest.Run(t, func(t *testing.T) storetest.Backend {
		host := g.nodes[2]
		b := backend(t, host.open(t), host.dialect, sqlstore.Config{}, func() *sql.DB {
			opened++
			return g.nodes[opened%2].open(t)
		})
		b.BeginChange = func(ctx context.Context, id string) (func() error, error) {
			return beginChange(ctx, g.nodes[opened%2].open(t), host.dialect, id)
		}
		return b
	})
}

// changeUnderWay saves over one node while the host changes the password over
// another. The one that commits first wins, and the other is told so: there is no
// device on a password that was replaced before it.
func (g *galera) changeUnderWay(t *testing.T) {
	ctx := t.Context()
	host, node := g.nodes[2].open(t), g.nodes[0]
	store, err := sqlstore.New(ctx, node.open(t), node.dialect, sqlstore.Config{})
	require.NoError(t, err)
	for _, first := range []string{"save", "host"} {
		require.NoError(t, store.Put(ctx, credential.Account{ID: first, PasswordHash: "p"}))
		a := load(t, store, first)
		commit, err := beginChange(ctx, host, node.dialect, first)
		require.NoError(t, err)
		if first == "save" {
			require.NoError(t, save(store, a))
			requireNumber(t, 1213, commit())
			require.Equal(t, "p", load(t, store, first).PasswordHash)
			require.EqualValues(t, 1, load(t, store, first).Version)
		} else {
			require.NoError(t, commit())
			require.ErrorIs(t, save(store, a), credential.ErrConflict)
			require.Equal(t, "changed", load(t, store, first).PasswordHash)
			require.Zero(t, load(t, store, first).Version)
		}
	}
}

// hostSide has a pool that asks another node each time, as a balancer of
// connections could. An INSERT waits too (4), so that a Put is not undone because
// its node does not have the account yet.
func (g *galera) hostSide(t *testing.T) {
	hosttest.Run(t, func(t *testing.T) hosttest.Store {
		db := g.open(t, "7")
		_, err := db.Exec(`DELETE FROM devicetotp_accounts`)
		require.NoError(t, err)
		store, err := sqlstore.New(t.Context(), db, sqlstore.DialectMySQL, sqlstore.Config{})
		require.NoError(t, err)
		return store
	})
}

// fresh asks another node for what one has just answered, often enough to come
// before that node has applied it.
func (g *galera) fresh(t *testing.T) {
	ctx := t.Context()
	store, err := sqlstore.New(ctx, g.open(t, "3"), sqlstore.DialectMySQL, sqlstore.Config{})
	require.NoError(t, err)
	for i := range 300 {
		id := fmt.Sprintf("fresh-%d", i)
		require.NoError(t, store.Put(ctx, credential.Account{ID: id, PasswordHash: "p"}))
		require.NoError(t, store.SetLocked(ctx, id, true))
		require.NoError(t, store.RotateHash(ctx, id, credential.FactorPassword, "p", "q"))
		a := load(t, store, id)
		require.True(t, a.Locked)
		require.Equal(t, "q", a.PasswordHash)
		require.NoError(t, save(store, a))
		require.EqualValues(t, 1, load(t, store, id).Version)
		deleted, err := store.Delete(ctx, id)
		require.NoError(t, err)
		require.True(t, deleted)
		_, err = store.Load(ctx, id)
		require.ErrorIs(t, err, credential.ErrNotFound)
	}
}

// noQuorum leaves one node, which then refuses every statement. That is no
// conflict and no missing account.
func (g *galera) noQuorum(t *testing.T) {
	node := g.nodes[0]
	db := node.open(t)
	db.SetMaxOpenConns(1)
	store, err := sqlstore.New(t.Context(), db, node.dialect, sqlstore.Config{})
	require.NoError(t, err)
	require.NoError(t, store.Put(t.Context(), credential.Account{ID: "a"}))
	a := load(t, store, "a")
	a.Next = 7
	require.NoError(t, g.cluster.Nodes[1].Crash())
	require.NoError(t, g.cluster.Nodes[2].Crash())

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var answer *mysql.MySQLError
	for {
		_, err := store.Load(ctx, "a")
		if errors.As(err, &answer) && answer.Number == 1047 {
			break
		}
		require.NoError(t, ctx.Err(), "%v", err)
	}
	require.Zero(t, db.Stats().OpenConnections, "the connection is not used for the next Load")
	for name, err := range map[string]error{
		"save":       store.Save(ctx, a),
		"set locked": store.SetLocked(ctx, "a", true),
	} {
		requireNumber(t, 1047, err)
		for _, kind := range []error{credential.ErrConflict, credential.ErrNotFound, credential.ErrSerialization} {
			require.NotErrorIs(t, err, kind, name)
		}
	}
}

// open returns a handle whose every statement goes to the next node.
func (g *galera) open(t *testing.T, syncWait string) *sql.DB {
	t.Helper()
	c := &byTurns{}
	for _, node := range g.nodes {
		connector, err := mysql.MySQLDriver{}.OpenConnector(mariadbtest.With(node.dsn, "wsrep_sync_wait", syncWait))
		require.NoError(t, err)
		c.nodes = append(c.nodes, connector)
	}
	db := sql.OpenDB(c)
	db.SetMaxIdleConns(-1)
	closeAtEnd(t, db)
	return db
}

// byTurns connects to one node after another.
type byTurns struct {
	nodes []driver.Connector
	next  atomic.Int64
}

func (b *byTurns) Connect(ctx context.Context) (driver.Conn, error) {
	return b.nodes[int(b.next.Add(1))%len(b.nodes)].Connect(ctx)
}

func (b *byTurns) Driver() driver.Driver { return b.nodes[0].Driver() }
