package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
)

// lossy is a primary whose standby is away if cut is set: each Save is done and
// reported as cut off.
type lossy struct {
	hostStore
	cut bool
}

func (s *lossy) Save(ctx context.Context, a credential.Account) error {
	err := s.hostStore.Save(ctx, a)
	if err == nil && s.cut {
		return errors.New("cut off")
	}
	return err
}

// standby is a store with what the primary has of its accounts.
func standby(t *testing.T, primary hostStore, accounts ...string) hostStore {
	s := memstore.New()
	for _, id := range accounts {
		a, err := primary.Load(t.Context(), id)
		require.NoError(t, err)
		_, err = s.Insert(t.Context(), a)
		require.NoError(t, err)
	}
	return s
}

// pass lets time go by in a bubble, where nobody waits for it.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// historyAcross is what one client calls and gets over a fail-over.
func historyAcross(t *testing.T, p plant) (operations []operation) {
	synctest.Test(t, func(t *testing.T) {
		servers := &lossy{hostStore: memstore.New()}
		var out bytes.Buffer
		c := client{
			number: 7, model: "store", log: &log{out: &out}, store: &opened{p.in(servers), func() {}},
			config: childConfig{Target: target{Timeout: time.Second}, Plant: p, Seed: 3}, random: rand.New(rand.NewPCG(1, 2)),
		}
		f := newFailOver()
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.saveAcross(t.Context(), f)
		}()
		pass(time.Minute)
		kept := standby(t, servers, "store-across-3-7")
		servers.cut = true
		f.hear(away)
		pass(time.Minute)
		servers.cut, servers.hostStore = false, kept
		since := now()
		f.hear(promoted)
		<-done
		all := &process{ready: make(chan struct{}), ended: make(chan struct{}), done: map[int]operation{}}
		all.read(io.MultiReader(strings.NewReader(ready+"\n"), &out))
		require.EqualValues(t, 1, all.holds.Load())
		d := drive{rig: &rig{seen: func() int64 { return since }}, all: []*process{all}}
		operations = d.history()
	})
	return operations
}

func TestASaveFromBeforeAFailOverIsAConflictAfterIt(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	right := historyAcross(t, plantNothing)
	found, err := check(right)
	require.NoError(t, err)
	require.Nil(t, found)
	saves := results(right, opSave)
	require.Equal(t, []string{resultUnknown, resultDone, resultConflict}, saves)

	wrong := historyAcross(t, plantCounter)
	found, err = check(wrong)
	require.NoError(t, err)
	require.NotNil(t, found)
	require.Equal(t, []string{resultUnknown, resultDone, resultDone}, results(wrong, opSave))
}

func results(history []operation, op string) (all []string) {
	for _, o := range history {
		if o.Input.Op == op {
			all = append(all, o.Output.Result)
		}
	}
	return all
}

func TestAProcessHearsOfTheStandbyBeforeItBegins(t *testing.T) {
	config, err := json.Marshal(childConfig{Target: target{Across: 1}})
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, runChild([]string{string(config)}, strings.NewReader(away+"\n"+begin+"\n"+promoted+"\n"), &out))
	require.Contains(t, out.String(), "\n"+holds+"\n")
	require.NotContains(t, out.String(), "across", "what would be lost with the primary is not made")
}

func TestAProcessThatIsNotToBeginCallsNothing(t *testing.T) {
	config, err := json.Marshal(childConfig{Target: target{Across: 1}})
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, runChild([]string{string(config)}, strings.NewReader(away+"\n"), &out))
	require.Equal(t, ready+"\n", out.String())
}
