package main

import (
	"fmt"
	"io"

	"example.com/devicetotp/devicetotp"
)

// summary is what became of the lines.
type summary struct {
	lines, imported, alreadyThere int
	refused                       []refusal
}

type refusal struct {
	line   int
	reason string
}

func (s *summary) count(done devicetotp.Imported) {
	if done.AlreadyThere {
		s.alreadyThere++
	} else {
		s.imported++
	}
}

func (s *summary) refuse(line int, err error) {
	s.refused = append(s.refused, refusal{line, reason(err)})
}

func (s *summary) waiting() string {
	if len(s.refused) == 0 {
		return ""
	}
	return fmt.Sprintf(", %d refused", len(s.refused))
}

func (s *summary) print(w io.Writer, dryRun bool) {
	for _, r := range s.refused {
		fmt.Fprintf(w, "line %d: %s\n", r.line, r.reason)
	}
	if dryRun {
		fmt.Fprintf(w, "read %d devices; %d refused; nothing was changed\n", s.lines, len(s.refused))
		return
	}
	fmt.Fprintf(w, "%d devices: %d imported, %d there already, %d refused\n", s.lines, s.imported, s.alreadyThere, len(s.refused))
}
