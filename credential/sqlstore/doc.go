// Package sqlstore keeps accounts in PostgreSQL, SQLite, MariaDB or MySQL over
// database/sql.
//
// Start with [New], which takes the host's own *sql.DB and checks its settings,
// and [Store.Migrate], which creates the table. The result is a
// [credential.Store]: [Store.Load] is one SELECT by primary key, [Store.Save]
// one conditional UPDATE. The package imports no driver: it works with pgx's
// database/sql driver, lib/pq, modernc.org/sqlite and
// github.com/go-sql-driver/mysql.
//
//	db, err := sql.Open("pgx", dsn)
//	store, err := sqlstore.New(ctx, db, sqlstore.DialectPostgres, sqlstore.Config{})
//	err = store.Migrate(ctx)
//
// The directory sqltest, a module of its own, has runnable examples.
//
// Use it if the library may have a table of its own. A host that keeps hashes
// in its own users table implements [credential.Store] in two queries instead;
// package storetest checks that implementation.
//
// # The table
//
// One row an account, in devicetotp_accounts unless [Config] says otherwise:
//
//	id             text       primary key
//	registered_sec bigint     Unix seconds; -62135596800, the zero time, means unknown
//	registered_ns  integer    nanoseconds within that second
//	password_hash  text       "" for none
//	pin_hash       text       "" for none
//	locked         boolean    integer 0 or 1 in SQLite
//	state          bytea      what credential.State.MarshalBinary made; empty for none
//	version        bigint     drawn at random by each save of state; 0 before the first
//
// In MySQL the ids and hashes are varbinary and the state is a mediumblob: a
// collation of text would take two ids or two hashes for one, and a blob would cut
// the largest State short.
//
// The registration time is two integers because Save compares it exactly, and
// a Go time has nanoseconds: a timestamptz keeps microseconds, and a text can
// spell one instant in several ways, after which no Save would ever match. To
// fill it from a timestamptz, use floor(extract(epoch from created_at)) and 0, from a
// datetime in UTC timestampdiff(second, '1970-01-01', created_at) and 0. An
// import that sets it to the current time opens the grace window for everybody;
// leave it unknown instead.
//
// Write the host's columns with [Store.Put], [Store.SetLocked] and
// [Store.RotateHash], or with SQL of your own that names only those columns.
// Never write state or version: whoever can put an old state back can use a
// spent proof again.
//
// # Conflicts and unknown outcomes
//
// An UPDATE that found no row is [credential.ErrConflict]: the account has
// changed, or the driver silently sent the statement a second time after the
// first had taken effect, which the library recognises by its write id. SQLSTATE
// 40001 (serialization failure, in a Load under SERIALIZABLE too) and 40P01
// (deadlock) are [credential.ErrSerialization]: nothing was read or written. So are
// the errors 1213 (deadlock, or a certification that Galera lost) and 1205 (lock
// wait timeout, which rolls the statement back) of MariaDB and MySQL.
// Every other error, SQLITE_BUSY included, is passed on
// and means that the outcome is unknown: a server can carry out a statement
// after the driver has given up on it. The version makes it count once at most.
//
// # Databases
//
// The tests ran package storetest with the race detector on these, and many
// processes on each. On those that are servers they killed the database and the
// processes under load. New refuses a setting that is wrong, by its name, but for
// those in parentheses, which it does not see.
//
//	database         run on                  must be set                      is lost otherwise
//
//	PostgreSQL       15; pgx, and lib/pq;    synchronous_commit on,           the last saves in a crash, with
//	                 SERIALIZABLE too        encoding UTF8, the primary,      them spent proofs; a standby
//	                                         not read-only, (fsync on)        reads stale
//
//	 with a standby  a synchronous one,      (synchronous_standby_names,      the last saves in a fail-over
//	                 paused and promoted      target_session_attrs)
//
//	 behind          1.18, transaction       lib/pq: binary_parameters=yes    any account: a Load ran as
//	 PgBouncer       mode                                                     another client's Delete
//	                                         pgx: default_query_exec_mode     requests, which fail
//
//	SQLite           modernc.org/sqlite,     journal_mode WAL,                the last saves in a power
//	                 a local file            synchronous FULL,                failure; writers fail instead
//	                                         busy_timeout 5000                of waiting
//
//	MariaDB          10.11                   strict sql_mode, autocommit,     what is too long is cut short;
//	                                         innodb_flush_log_at_trx_commit   every save; the last saves in
//	                                         and sync_binlog 1, not           a crash
//	                                         read_only
//
//	Galera           26.4, three nodes,      as MariaDB, wsrep_sync_wait 3    a node reads stale, or does not
//	                 calls at all of them                                     find an account
//
//	MySQL            not run by us           as MariaDB                       as MariaDB
//
// # PostgreSQL settings
//
// New refuses a standby server, a database whose encoding is not UTF8,
// default_transaction_read_only on, and synchronous_commit off or local: off forgets
// the last transactions in a crash, local forgets them in a fail-over to a
// synchronous standby. Without standbys local is no faster than on. It refuses
// bytea_output=escape where the driver reads bytes as text and knows no other form
// than hex. The server's fsync must stay on; New does not check it.
//
// Set what is wrong for the database (ALTER DATABASE ... SET) and not in a DSN,
// which a pooler refuses.
//
// lib/pq needs binary_parameters=yes in the DSN, with and without a pooler: by
// default it sends a statement and its parameters apart, and New refuses that. Its
// connections have no read deadline: on a network that goes silent a call outlasts
// its ctx, and the requests for that account wait behind it. Give its Connector a
// Dialer whose connections set one, or use pgx. A host whose own queries do not work
// with binary_parameters opens a second *sql.DB.
//
// # Poolers of PostgreSQL
//
// PgBouncer in session mode needs nothing. In transaction mode each statement can go
// to another connection of the server, which the driver must know:
//
//	pgx       default_query_exec_mode=exec, or cache_describe, or simple_protocol
//	lib/pq    binary_parameters=yes, and in PgBouncer ignore_startup_parameters = extra_float_digits
//
// With lib/pq's default a Load was carried out as another client's Delete. With
// pgx's default statements fail with SQLSTATE 42P05 or 26000, in New already. In
// statement mode [Store.Migrate] does not work.
//
// What a client sets with SET stays on the server's connection, for whoever is next:
// New cannot know it, so let no client behind the same pooler set one of the settings
// above.
//
// # Fail-over of PostgreSQL
//
// A standby that can be promoted must be synchronous: name it in
// synchronous_standby_names. One that lags brings spent codes and forgiven
// failures back. While it is away, commits wait for it, each Save is cut off at
// its deadline, and the library answers unavailable. What a Load shows at that
// time can be lost with the primary; that is why no answer rests on it.
//
// PostgreSQL reports such a commit as done if its wait is cancelled. Save returns
// an error if that was its own ctx. If an administrator cancels it
// (pg_cancel_backend), no driver sees the difference, so end the process with
// pg_terminate_backend instead.
//
// Name all servers in the DSN, so that each new connection goes to the one that
// writes; both drivers know these parameters:
//
//	host=db1,db2 port=5432,5432 target_session_attrs=read-write
//
// A Save over a connection that is read-only fails with SQLSTATE 25006. The Store
// then closes that connection instead of giving it back to the pool. Set
// [sql.DB.SetConnMaxLifetime] to a few minutes all the same: a connection to a
// standby that only reads has no such error.
//
// # SQLite settings
//
// Every connection needs busy_timeout of at least 5,000 ms, set before anything
// else, journal_mode WAL, and synchronous FULL or EXTRA. With modernc.org/sqlite
// the DSN is
//
//	file:accounts.db?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)
//
// which that driver applies in the right order. With WAL and synchronous=NORMAL
// a power failure would bring spent proofs back, so New refuses it, and a
// database in memory too. SQLite 3.37 or newer is needed. Many processes may
// share one file on a local disk. Writers of one process take turns, so make
// one Store a process: with 32 connections, waiting in SQLite itself can take
// seconds. While another process holds the write lock, a Save may outlast its
// ctx by up to busy_timeout, because SQLite does not stop waiting earlier.
//
// # MariaDB and MySQL settings
//
// With github.com/go-sql-driver/mysql the DSN is
//
//	user:password@tcp(host:3306)/database?interpolateParams=true
//
// interpolateParams saves two round trips a statement. clientFoundRows may be set
// or not. New refuses
//
//   - a sql_mode without STRICT_TRANS_TABLES or STRICT_ALL_TABLES: what is too long
//     is then cut short without an error;
//   - autocommit off: no Save is ever committed;
//   - read_only: accounts must be read from the primary;
//   - innodb_flush_log_at_trx_commit other than 1, and sync_binlog other than 1
//     where there is a binary log: a crash forgets the last transactions, and with
//     them spent proofs;
//   - a wsrep_sync_wait without 1 (reads) and 2 (updates and deletes) where wsrep_on
//     is on: see below.
//
// The first two and the last can be set in the DSN, for each connection:
//
//	?interpolateParams=true&sql_mode=%27STRICT_TRANS_TABLES%27&autocommit=1&wsrep_sync_wait=3
//
// InnoDB's doublewrite buffer must stay on and its flush method must not be nosync;
// New does not check them, nor that the server is no replica whose read_only is
// off. [Store.Migrate] refuses a table that is not InnoDB, or whose columns would
// lose something. It takes no lock: every CREATE TABLE commits by itself, so each
// step can be done again, by any number of processes on any node.
//
// An asynchronous or semi-synchronous replica that is promoted can lack Saves that
// returned, and so brings spent codes back. Use Galera, or do not promote one.
// A Save over a connection that cannot write (error 1290, 1792 or 1836) fails, and so
// do a Load and a Save at a node without quorum (1047). The Store closes such a
// connection.
//
// MySQL before 8.0.16 lacks what the table needs; use MariaDB 10.6 or newer. The
// tests ran on MariaDB 10.11, and on Galera 26.4 with it; nobody has run
// them on MySQL yet. They take the DSN of a server from DEVICETOTP_MYSQL_DSN.
//
// # Galera
//
// A commit is on all nodes when it returns, but a node applies it a little later.
// With wsrep_sync_wait=0 a Load on another node is stale; with 1 a Load is right,
// but an UPDATE is not: a SetLocked on one node reported that an account which
// another had just been given did not exist. With 3 both wait. 7 makes an INSERT
// wait too: without it a Put of an account that was written on another node a
// moment ago can be undone and has to be repeated.
//
// Row locks do not cross nodes. A Save on one node and a transaction of the host's
// on another do not wait for each other: the first to commit wins, and the other
// fails with error 1213. For a host's transaction that can be its COMMIT, so a host
// must look at that error, and repeat its change.
//
// # Compatibility
//
// Migrations only add: a release works with the table of a newer one, so
// processes of two releases can share a database while a service rolls.
package sqlstore
