package main

import "time"

// sizes are how much is done. The ratios need enough of it, and the whole must
// end within half an hour on two cores.
type sizes struct {
	accounts       int           // in the tables of the throughput section
	slice          time.Duration // how long one side is at work before the other has its turn
	pinnedRounds   int           // turns with the database and the clients on cores of their own
	unpinnedRounds int           // turns without
	httpRounds     int
	idle           time.Duration // how long the stream runs alone before the overload
	overloadRuns   int
	handAccounts   int // in each table of what is written by hand
	handRounds     int
	handSlice      time.Duration
	engineAccounts int
	engineRounds   int
	engineSlice    time.Duration
	growth         []int // accounts
	growthTable    int   // accounts, where the number of devices grows
	growthRounds   int
	growthSlice    time.Duration
}

var fullSizes = sizes{
	accounts: 10_000, slice: 2 * time.Second, pinnedRounds: 5, unpinnedRounds: 2, httpRounds: 5,
	idle: 6 * time.Second, overloadRuns: 3,
	handAccounts: 10_000, handRounds: 5, handSlice: time.Second,
	engineAccounts: 2_000, engineRounds: 5, engineSlice: 2 * time.Second,
	growth: []int{100, 10_000, 1_000_000}, growthTable: 10_000, growthRounds: 5, growthSlice: 500 * time.Millisecond,
}

var quickSizes = sizes{
	accounts: 2_000, slice: 200 * time.Millisecond, pinnedRounds: 1, unpinnedRounds: 1, httpRounds: 1,
	idle: time.Second, overloadRuns: 1,
	handAccounts: 1_000, handRounds: 1, handSlice: 100 * time.Millisecond,
	engineAccounts: 200, engineRounds: 1, engineSlice: 100 * time.Millisecond,
	growth: []int{100, 1_000, 10_000}, growthTable: 1_000, growthRounds: 1, growthSlice: 100 * time.Millisecond,
}

// connections are how many the throughput is measured with.
var connections = []int{1, 8, 32}

// otpConnections is how many Create on an OTP is measured with.
const otpConnections = 8

// devices are how many an account has, where that grows.
var devices = []int{1, 5, 20}
