// Command peakmemory hashes many passwords at once and prints what that took,
// as JSON. A test builds and runs it, so that neither the race detector nor the
// other tests are in the measure.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

type report struct {
	PeakKiB  int   // high-water mark of resident memory
	Answered int64 // requests without hashing that were answered meanwhile
	Wrong    int64 // answers other than the expected one
}

func main() {
	requests := flag.Int("requests", 200, "how many at once")
	stored := flag.String("stored", "", "the stored hash to compare with")
	live := flag.Int("live", 0, "MiB that the process keeps, as a service does")
	flag.Parse()
	kept := make([]byte, *live<<20)
	for i := range kept {
		kept[i] = 1 // so that it is resident
	}
	err := run(*requests, *stored)
	runtime.KeepAlive(kept)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(requests int, stored string) error {
	password := verifier.Password(nil)
	query := verifier.Query{AccountID: "account-1", Hash: credential.NewSecret(stored), Presented: credential.NewSecret("wrong")}
	var out report
	var wrong atomic.Int64
	var hashing sync.WaitGroup
	for range requests {
		hashing.Go(func() {
			verdict, err := password.Verify(context.Background(), query)
			if err != nil || verdict.Status != verifier.StatusWrong {
				wrong.Add(1)
			}
		})
	}
	done := make(chan struct{})
	go func() { hashing.Wait(); close(done) }()
	out.Answered = answerMeanwhile(done)
	out.Wrong = wrong.Load()
	var err error
	if out.PeakKiB, err = peak(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

// answerMeanwhile matches codes of a device until the hashing is done.
func answerMeanwhile(done <-chan struct{}) (answered int64) {
	device := verifier.TOTP{
		Secret: credential.NewSecret("12345678901234567890"), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
	}
	for {
		select {
		case <-done:
			return answered
		default:
		}
		if _, ok, err := device.Match(credential.NewSecret("287082"), time.Unix(59, 0), 0); ok && err == nil {
			answered++
		}
		time.Sleep(time.Millisecond) // a request now and then
	}
}

// peak reads the high-water mark that Linux keeps.
func peak() (kib int, err error) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			_, err = fmt.Sscanf(rest, "%d kB", &kib)
			return kib, err
		}
	}
	return 0, fmt.Errorf("no VmHWM in /proc/self/status")
}
