// Package routers shows, in its tests, the endpoint under routers other than
// that of net/http, each through its own standard adapter: chi, gin and echo.
package routers
