// Package etcdstore keeps accounts in etcd.
//
// Start with [New], which takes the host's own client; [ClientConfig] has the
// settings that the client needs. The result is a [credential.Store]: [Store.Load]
// and [Store.Save] are one transaction each.
//
//	config := etcdstore.ClientConfig("https://etcd1:2379", "https://etcd2:2379", "https://etcd3:2379")
//	config.TLS = tlsConfig
//	client, err := clientv3.New(config)
//	store, err := etcdstore.New(ctx, client, etcdstore.Config{})
//
// Use it if accounts must survive the loss of a machine without a fail-over that
// somebody has to get right, and fit in what etcd holds: see Capacity. It is a
// module of its own, so that nobody else depends on etcd. Its tests, with a cluster
// of three servers, are in the module etcdtest.
//
// # The keys
//
// Three keys an account, below devicetotp/ unless [Config] says otherwise:
//
//	account/<id>   what belongs to the host: six fields with a NUL between them
//	state/<id>     what credential.State.MarshalBinary made; empty for none
//	version/<id>   decimal, drawn at random by each save of state; 0 before the first
//
// The fields of account/<id> are the format, 1; the registration time in Unix
// seconds (-62135596800, the zero time, means unknown); the nanoseconds within that
// second; 1 if the account is locked, otherwise 0; the password hash; and the PIN hash.
// Save compares the whole value, and Load refuses one that is spelt in another way.
//
// The version is a value that Save is given, never the revision of a key: a mirror,
// or a restore that puts keys again, numbers revisions from the start, and then a request
// from before it could overwrite what was saved after it.
//
// Write accounts with [Store.Put], [Store.SetLocked] and [Store.RotateHash]. Never
// write state or version: whoever can put an old state back can use a spent proof
// again. Who may read these keys can read hashes, so give the library a user of its
// own, with a role for the prefix, and TLS between all of them.
//
// # Conflicts and unknown outcomes
//
// A Save whose comparison fails is [credential.ErrConflict]: the account has
// changed, or the client silently sent the transaction a second time after the first
// had taken effect, which the library recognises by its write id. Every other error
// of etcd is passed on and means that the outcome is unknown: a server that has no
// leader, one that is asked too often, a database that is full. A transaction that
// was cut off can take effect later. The version makes it count once at most. There
// is no [credential.ErrSerialization]: etcd never undoes what it has begun.
//
// Every read is linearizable: the server that is asked makes sure, with a majority,
// that it has everything which was answered before.
//
// # Cluster
//
// Run three or five servers of version 3.6 or newer, which [New] checks, each on a
// machine of its own. A Save that returned is on the disks of a majority. One of
// three may be lost, frozen or cut off: while a new leader is elected, which takes
// one to two seconds, requests take as long or are answered unavailable. With two of
// three gone every request is unavailable, and nothing is lost unless their disks
// are.
//
// Name all members in the client's endpoints. It asks them in turn, and leaves one
// that does not answer its keep-alives, after 13 seconds with [ClientConfig]; until
// then each call that this one is given waits until its deadline.
//
// --unsafe-no-fsync must stay off; no client can see it. Never bring a cluster back
// from a snapshot or with --force-new-cluster without knowing what that costs:
// codes that were used since can be used again, and failures since are forgiven.
//
// # Capacity
//
// A Save writes the State, and nothing else of that size: at most 262,144 bytes,
// and 217 for an account with one device. Servers take requests of 1.5 MiB, clients
// send 2 MiB; keep --max-request-bytes above 512 KiB. Put writes the hashes in one
// request too, so theirs is a limit on hashes.
//
// An account with one device and a password takes 1 KB of the database, and each
// Save half as much again until it is compacted. So 8 GiB hold some five million
// accounts.
//
// etcd keeps every version of every key until it is compacted. Set
//
//	--auto-compaction-mode=periodic --auto-compaction-retention=5m
//
// because otherwise each Save adds its State for ever, until the database reaches
// --quota-backend-bytes (2 GiB by default; etcd advises against more than 8). Then
// etcd raises the alarm NOSPACE and refuses every write, so that every request is
// unavailable, until it is compacted, defragmented and the alarm disarmed. All keys
// are in the memory of each server. Ask its metrics for etcd_mvcc_db_total_size_in_bytes against the quota,
// etcd_server_has_leader, the rate of etcd_server_leader_changes_seen_total, and
// etcd_disk_wal_fsync_duration_seconds, which every Save waits for.
//
// A cluster orders all its writes in one line, so more servers do not make it
// faster. To grow further, divide the accounts among several clusters.
package etcdstore
