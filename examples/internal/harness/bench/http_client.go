package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"example.com/devicetotp/devicetotp/jsonapi"
)

const httpToken = "good"

const httpBody = `{"data":{"type":"deviceTOTP","attributes":{}}}`

// httpRequest is what each connection sends again and again. The clients write
// it as it stands and read no more of the answer than they must, so that it is
// the servers that are measured.
var httpRequest = "POST /user/devices/totp HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " + httpToken +
	"\r\nAccept: " + jsonapi.MediaType + "\r\nContent-Type: " + jsonapi.MediaType +
	"\r\nContent-Length: " + strconv.Itoa(len(httpBody)) + "\r\n\r\n" + httpBody

// httpTurn asks the clients to be at work for a while.
type httpTurn struct {
	Address string
	Conns   int
	For     time.Duration
}

type httpDone struct {
	PerSecond float64
	Err       string
}

func httpClientChild(in *json.Decoder, out *json.Encoder) error {
	for {
		var turn httpTurn
		if err := in.Decode(&turn); err != nil {
			return err
		}
		var done httpDone
		var err error
		if done.PerSecond, err = turn.drive(); err != nil {
			done.Err = err.Error()
		}
		if err := out.Encode(done); err != nil {
			return err
		}
	}
}

// drive opens the connections and lets each worker have one.
func (t httpTurn) drive() (perSecond float64, err error) {
	free := make(chan *httpConn, t.Conns)
	var opened []io.Closer
	defer func() {
		for _, c := range opened {
			err = errors.Join(err, c.Close())
		}
	}()
	for range t.Conns {
		var dialer net.Dialer
		conn, err := dialer.DialContext(context.Background(), "tcp", t.Address)
		if err != nil {
			return 0, err
		}
		opened = append(opened, conn)
		free <- &httpConn{conn, textproto.NewReader(bufio.NewReader(conn))}
	}
	return drive(context.Background(), t.Conns, t.For, func(context.Context) error {
		c := <-free
		err := c.post()
		free <- c
		return err
	})
}

// httpConn is one connection that stays open.
type httpConn struct {
	net.Conn
	reader *textproto.Reader
}

func (c *httpConn) post() error {
	if _, err := io.WriteString(c.Conn, httpRequest); err != nil {
		return err
	}
	status, err := c.reader.ReadLine()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(status, "HTTP/1.1 201 ") {
		return fmt.Errorf("the answer is %q", status)
	}
	length := -1
	for {
		line, err := c.reader.ReadLine()
		if err != nil {
			return err
		}
		if line == "" {
			break
		}
		if value, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			if length, err = strconv.Atoi(value); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return errors.New("the answer has no Content-Length")
	}
	_, err = c.reader.R.Discard(length)
	return err
}
