package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// machine is what the numbers depend on.
type machine struct {
	model   string
	virtual bool
	memory  string
	cpus    []string // that this process may run on
	taskset string   // the program; "" if there is none
}

func thisMachine() machine {
	m := machine{model: "unknown processor", memory: "unknown memory"}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.model = field(string(text), "model name")
		m.virtual = strings.Contains(field(string(text), "flags"), "hypervisor")
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		if kib, err := strconv.Atoi(strings.TrimSuffix(field(string(text), "MemTotal"), " kB")); err == nil {
			m.memory = fmt.Sprintf("%.0f GiB", float64(kib)/(1<<20))
		}
	}
	if text, err := os.ReadFile("/proc/self/status"); err == nil {
		m.cpus = expand(field(string(text), "Cpus_allowed_list"))
	}
	m.taskset, _ = exec.LookPath("taskset")
	return m
}

// canPin reports whether two sides can be given a core each.
func (m machine) canPin() bool { return m.taskset != "" && len(m.cpus) >= 2 }

// field returns what stands after the first "name:" of a file in /proc.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// expand turns "0-2,5" into 0, 1, 2 and 5.
func expand(list string) (cpus []string) {
	for part := range strings.SplitSeq(list, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err1 := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil {
			return nil
		}
		for cpu := first; cpu <= last; cpu++ {
			cpus = append(cpus, strconv.Itoa(cpu))
		}
	}
	return cpus
}

func (b *bench) describeMachine() {
	m := b.machine
	kind := "cores"
	if m.virtual {
		kind = "cores of a virtual machine"
	}
	b.say("%d %s (%s), %s; %s, %s/%s.", runtime.NumCPU(), kind, m.model, m.memory, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if sync, err := syncTime(); err == nil {
		b.say("Writing 8 KiB and syncing them to the disk of %s takes %v in the middle.", os.TempDir(), sync.Round(time.Microsecond))
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		b.say("Load when it began: %s. Beside other work the ratios are less certain.", strings.Join(strings.Fields(string(text))[:3], " "))
	}
}

// syncTime measures what a commit waits for.
func syncTime() (time.Duration, error) {
	file, err := os.CreateTemp("", "bench-sync")
	if err != nil {
		return 0, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	var times []time.Duration
	page := make([]byte, 8192)
	for range 50 {
		started := time.Now()
		if _, err := file.WriteAt(page, 0); err != nil {
			return 0, err
		}
		if err := file.Sync(); err != nil {
			return 0, err
		}
		times = append(times, time.Since(started))
	}
	return quantile(times, 0.5), nil
}

// pinFamily lets a process and its children run on the given cores only; those
// that they start later inherit it.
func (m machine) pinFamily(ctx context.Context, parent int, cpus ...string) error {
	pids := []int{parent}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return err
	}
	for _, stat := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
		if err != nil {
			continue
		}
		if up, err := parentOf(pid); err == nil && up == parent {
			pids = append(pids, pid)
		}
	}
	for _, pid := range pids {
		out, err := exec.CommandContext(ctx, m.taskset, "-a", "-p", "-c", strings.Join(cpus, ","), strconv.Itoa(pid)).CombinedOutput()
		if err != nil && pid == parent { // a child may have ended meanwhile
			return fmt.Errorf("taskset: %w: %s", err, out)
		}
	}
	return nil
}

// parentOf returns the id of the process that started pid.
func parentOf(pid int) (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field is the name in brackets, which may hold anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 2 {
		return 0, fmt.Errorf("/proc/%d/stat has no parent", pid)
	}
	return strconv.Atoi(fields[1])
}
