package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const traces = `File: bench
Type: cpu
Duration: 1s, Total samples = 100ms
-----------+-------------------------------------------------------
        op:  verify
      loop:  ours
      40ms   internal/runtime/syscall/linux.Syscall6
             syscall.RawSyscall6
             syscall.Syscall
             syscall.write
             github.com/jackc/pgx/v5/pgconn.(*PgConn).flush
             example.com/devicetotp/credential/sqlstore.(*Store).Load
-----------+-------------------------------------------------------
        op:  verify
      30ms   runtime.mallocgc
             runtime.makeslice
             github.com/jackc/pgx/v5/pgproto3.(*Frontend).Receive
             database/sql.(*DB).queryDC
-----------+-------------------------------------------------------
      10ms   example.com/devicetotp/credential.(*reader).next (inline)
             example.com/devicetotp/credential.State.decode
             example.com/devicetotp/devicetotp.perform[go.shape.struct { ID string }]
-----------+-------------------------------------------------------
      10ms   internal/runtime/syscall/linux.Syscall6
             internal/runtime/syscall/linux.EpollWait
             runtime.netpoll
             runtime.findRunnable
             runtime.schedule
             runtime.mcall
-----------+-------------------------------------------------------
      10ms   golang.org/x/crypto/chacha20poly1305.seal
             example.com/devicetotp/devicetotp.perform[go.shape.struct { ID string }]
             main.verifying.func1
`

func TestASampleBelongsToTheInnermostOwner(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(strings.NewReader(traces), &out))
	require.ElementsMatch(t, []string{
		" 40.0%  the system: sockets",
		" 30.0%  pgx",
		" 10.0%  ours: State",
		" 10.0%  the Go runtime: scheduling, collecting",
		" 10.0%  ours: deciding",
	}, strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n"))
	require.Error(t, run(strings.NewReader("File: bench\n"), &out), "a filter that nothing passes")
}
