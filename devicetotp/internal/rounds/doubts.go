package rounds

import "sync"

// maxDoubts bounds the memory of an outage of the whole store.
const maxDoubts = 4096

// doubts are the accounts whose last Save had an unknown outcome. Beyond
// maxDoubts of them every account is in doubt, until a Save has succeeded: the
// store is writable again.
type doubts struct {
	mu       sync.Mutex
	accounts map[string]struct{}
	all      bool
}

func (d *doubts) add(accountID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.accounts) >= maxDoubts {
		d.all = true
		return
	}
	if d.accounts == nil {
		d.accounts = map[string]struct{}{}
	}
	d.accounts[accountID] = struct{}{}
}

// settle is called after a Save of the account has succeeded.
func (d *doubts) settle(accountID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = false
	delete(d.accounts, accountID)
}

func (d *doubts) about(accountID string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, about := d.accounts[accountID]
	return about || d.all
}
