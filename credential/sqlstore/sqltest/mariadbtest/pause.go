package mariadbtest

import (
	"fmt"
	"syscall"
)

// Pause stops the server where it is, until [Server.Resume]: its connections stay
// open, and nothing is answered.
func (s *Server) Pause() error { return s.signal(syscall.SIGSTOP) }

// Resume lets a paused server go on.
func (s *Server) Resume() error { return s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal syscall.Signal) error {
	if s.programs == nil {
		return ErrNotOurs
	}
	if err := s.cmd.Process.Signal(signal); err != nil {
		return fmt.Errorf("mariadbtest: %w", err)
	}
	return nil
}
