package etcdstore

import (
	"fmt"
	"strconv"

	clientv3 "go.etcd.io/etcd/client/v3"

	"example.com/devicetotp/credential"
)

// keys are where one account is kept. All three are there, or the account is not.
type keys struct{ account, state, version string }

const accountKeys = "account/"

func (s *Store) keys(id string) keys {
	return keys{account: s.prefix + accountKeys + id, state: s.prefix + "state/" + id, version: s.prefix + "version/" + id}
}

// is holds while the key has that value. A key that is not there has none.
func is(key, value string) clientv3.Cmp { return clientv3.Compare(clientv3.Value(key), "=", value) }

// missing holds while there is no such key.
func missing(key string) clientv3.Cmp { return clientv3.Compare(clientv3.CreateRevision(key), "=", 0) }

func formatVersion(v int64) string { return strconv.FormatInt(v, 10) }

// parseVersion refuses what formatVersion does not write: Save compares the text.
func parseVersion(text []byte) (int64, error) {
	v, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || v < 0 || v > credential.MaxVersion || formatVersion(v) != string(text) {
		return 0, fmt.Errorf("the version is not a decimal number of 0 to 2^62")
	}
	return v, nil
}
