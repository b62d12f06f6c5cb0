// Package page puts what a command measured into a page for people to read, so
// that the page shows what the command printed and nothing else.
package page

import (
	"fmt"
	"os"
	"strings"
)

// Insert replaces what stands in the file between the lines
//
//	<!-- begin NAME -->
//	<!-- end NAME -->
//
// by text. Both lines must be there, once and in this order.
func Insert(file, name, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	page, err := replace(string(old), name, text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(page), 0o644) //nolint:gosec // a page for everybody
}

func replace(page, name, text string) (string, error) {
	begin, end := fmt.Sprintf("<!-- begin %s -->\n", name), fmt.Sprintf("<!-- end %s -->\n", name)
	before, rest, ok := strings.Cut(page, begin)
	if !ok || strings.Contains(rest, begin) {
		return "", fmt.Errorf("there must be one line %q", strings.TrimSpace(begin))
	}
	_, after, ok := strings.Cut(rest, end)
	if !ok || strings.Contains(after, end) {
		return "", fmt.Errorf("there must be one line %q after it", strings.TrimSpace(end))
	}
	return before + begin + "\n" + strings.Trim(text, "\n") + "\n\n" + end + after, nil
}
