package jsonapi_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// endless is a body of one byte over and over that counts what was read of it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}

// allocated returns the bytes that f allocates, freed or not.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestAttacksOnTheBodyCostLittleMemory(t *testing.T) {
	many := func(member string) string {
		return `{"data":{"type":"deviceTOTP","attributes":{` + strings.TrimSuffix(strings.Repeat(member+",", 10_000), ",") + `}}}`
	}
	var distinct strings.Builder
	for i := range 7_000 {
		fmt.Fprintf(&distinct, `"%x":0,`, i)
	}
	for name, c := range map[string]struct {
		body   io.Reader
		status int
	}{
		"10 MB":                          {io.LimitReader(&endless{}, 10<<20), 422},
		"10,000 members of one name":     {strings.NewReader(many(`"":0`)), 422},
		"10,000 PINs, beyond the limit":  {strings.NewReader(many(`"pin":"1"`)), 422},
		"7,000 members of various names": {strings.NewReader(`{"data":{"type":"deviceTOTP","attributes":{` + distinct.String() + `"pin":"1"}}}`), 201},
		"60,000 arrays":                  {strings.NewReader(strings.Repeat("[", 60_000)), 422},
		"30,000 objects":                 {strings.NewReader(`{"data":` + strings.Repeat(`{"":`, 10_000)), 422},
		"60,000 quotes":                  {strings.NewReader(strings.Repeat(`"`, 60_000)), 422},
		"10,000 escapes":                 {strings.NewReader(`{"data":{"type":"deviceTOTP","attributes":{"pin":"` + strings.Repeat(`\u0041`, 10_000) + `"}}}`), 201},
	} {
		t.Run(name, func(t *testing.T) {
			h := handlerOf(t, &creator{})
			r := requestFrom(c.body)
			var status int
			bytes := allocated(func() { status = serve(t, h, r).Code })
			require.Equal(t, c.status, status)
			require.Less(t, bytes, uint64(4<<20))
		})
	}
}

func TestNoMoreThanTheLimitIsRead(t *testing.T) {
	body := &endless{}
	require.Equal(t, http.StatusUnprocessableEntity, serve(t, handlerOf(t, &creator{}), requestFrom(body)).Code)
	require.Less(t, body.read, 80<<10)
}

func TestNothingIsReadOfABodyThatIsNotLookedAt(t *testing.T) {
	body := &endless{}
	r := requestFrom(body)
	r.Header.Set("Content-Type", "text/plain")
	require.Equal(t, http.StatusUnsupportedMediaType, serve(t, handlerOf(t, &creator{}), r).Code)
	require.Zero(t, body.read)
}
