package processes

import (
	"bytes"
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A fault is what the network does to one message.
type fault int

const (
	none    fault = iota
	cut           // the connection is closed, and the message is lost
	swallow       // the message is lost, and nothing comes through any more
	hold          // the message comes through when the proxy is released
	down          // as cut, and no connection works until the proxy heals
	delay         // the message comes through late
)

func (f fault) String() string {
	return [...]string{"none", "cut", "swallow", "hold", "down", "delay"}[f]
}

// A proxy is the network between the library and PostgreSQL. judge is asked
// about every message, as it was read from one side; it belongs to a request if
// toServer is true, else to an answer.
type proxy struct {
	listener        net.Listener
	network, target string

	mu       sync.Mutex
	judge    func(message []byte, toServer bool) fault
	isDown   bool
	released chan struct{}
	conns    map[net.Conn]bool
	ended    sync.WaitGroup
}

// startProxy listens until the test ends.
func startProxy(t *testing.T, network, target string) *proxy {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{
		listener: listener, network: network, target: target,
		released: make(chan struct{}), conns: map[net.Conn]bool{},
	}
	p.ended.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.heal()
		p.closeAll()
		p.ended.Wait()
	})
	return p
}

// afflict lets judge decide from now on.
func (p *proxy) afflict(judge func(message []byte, toServer bool) fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.judge = judge
}

// once inflicts f on the first message that matches. The returned function
// tells whether there was one.
func (p *proxy) once(f fault, matches func(message []byte, toServer bool) bool) (struck func() bool) {
	done := false
	p.afflict(func(message []byte, toServer bool) fault { // called with p.mu held
		if done || !matches(message, toServer) {
			return none
		}
		done = true
		return f
	})
	return func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return done
	}
}

// heal ends every fault; messages that are held come through, even if their
// sender is gone.
func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.judge, p.isDown = nil, false
	close(p.released)
	p.released = make(chan struct{})
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.ended.Go(func() { p.serve(client) })
	}
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := new(net.Dialer).DialContext(context.Background(), p.network, p.target)
	if err != nil {
		return
	}
	defer server.Close()
	if !p.enter(client, server) {
		return
	}
	var pipes sync.WaitGroup
	pipes.Go(func() { p.pipe(client, server, true) })
	pipes.Go(func() { p.pipe(server, client, false) })
	pipes.Wait()
}

// enter is false if the network is down.
func (p *proxy) enter(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = true
	}
	return !p.isDown
}

func (p *proxy) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

// pipe carries messages from one side to the other until one of them is gone.
func (p *proxy) pipe(from, to net.Conn, toServer bool) {
	defer to.Close()
	message := make([]byte, 64<<10)
	lost := false
	for {
		n, err := from.Read(message)
		if n > 0 && !lost {
			if lost = !p.carry(message[:n], from, to, toServer); lost && p.goneDown() {
				p.closeAll()
			}
		}
		if err != nil {
			return
		}
	}
}

func (p *proxy) goneDown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.isDown
}

// carry brings one message over, or does not.
func (p *proxy) carry(message []byte, from, to net.Conn, toServer bool) bool {
	f, released := p.ask(message, toServer)
	switch f {
	case none:
	case hold:
		<-released
	case delay:
		time.Sleep(storeTimeout / 10)
	case swallow:
		return false
	default:
		_ = from.Close()
		_ = to.Close()
		return false
	}
	_, err := to.Write(message)
	return err == nil
}

func (p *proxy) ask(message []byte, toServer bool) (fault, chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.judge == nil {
		return none, nil
	}
	f := p.judge(message, toServer)
	if f == down {
		p.isDown = true
	}
	return f, p.released
}

// isWritten recognises the answer of the server to a statement that wrote one
// row.
func isWritten(message []byte, toServer bool) bool {
	return !toServer && bytes.Contains(message, []byte("UPDATE 1\x00"))
}

// isRequest recognises anything that is sent to the server.
func isRequest(_ []byte, toServer bool) bool { return toServer }
