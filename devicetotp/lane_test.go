package devicetotp

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func (l *lanes) users(account string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if in := l.byAccount[account]; in != nil {
		return in.users
	}
	return 0
}

func TestLanes(t *testing.T) {
	l := newLanes(1)
	leave, err := l.enter(t.Context(), "a")
	require.NoError(t, err)

	impatient, hangUp := context.WithCancel(t.Context())
	waiting := make(chan error)
	go func() {
		_, err := l.enter(impatient, "a")
		waiting <- err
	}()
	for l.users("a") < 2 {
		runtime.Gosched()
	}
	_, err = l.enter(t.Context(), "a")
	require.ErrorIs(t, err, errLaneFull, "the waiting line is bounded")
	other, err := l.enter(t.Context(), "b")
	require.NoError(t, err, "other accounts do not wait")
	other()

	hangUp()
	require.ErrorIs(t, <-waiting, context.Canceled, "waiting honours ctx")
	require.Equal(t, 1, l.users("a"))

	next := make(chan func())
	go func() {
		leave, _ := l.enter(context.Background(), "a")
		next <- leave
	}()
	for l.users("a") < 2 {
		runtime.Gosched()
	}
	leave()
	(<-next)()
	require.Empty(t, l.byAccount, "nothing is left behind")
}
