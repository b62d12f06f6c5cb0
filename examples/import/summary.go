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
	unnamed                       []int // lines whose label cannot be a name
}

type refusal struct {
	line   int
	reason string
}

func (s *summary) count(line int, done devicetotp.Imported, unnamed bool) {
	if unnamed {
		s.unnamed = append(s.unnamed, line)
	}
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
	without := ""
	if len(s.unnamed) > 0 {
		without = fmt.Sprintf("; %d without their label", len(s.unnamed))
	}
	for _, line := range s.unnamed {
		fmt.Fprintf(w, "line %d: without its label\n", line)
	}
	if dryRun {
		fmt.Fprintf(w, "read %d devices; %d refused%s; nothing was changed\n", s.lines, len(s.refused), without)
		return
	}
	fmt.Fprintf(w, "%d devices: %d imported, %d there already, %d refused%s\n", s.lines, s.imported, s.alreadyThere, len(s.refused), without)
}
