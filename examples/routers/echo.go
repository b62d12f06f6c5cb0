package routers

import (
	"net/http"

	"github.com/labstack/echo/v5"

	"example.com/devicetotp/devicetotp/jsonapi"
)

// Echo returns a router of echo that serves what [NetHTTP] does. Any takes every
// method, so that the endpoints themselves answer those they do not have.
func Echo(devices, device http.Handler, config jsonapi.Config) http.Handler {
	router := echo.New()
	group := router.Group("/user/:version")
	group.Any("/user/devices/totp", echo.WrapHandler(devices))
	group.Any("/user/devices/totp/:id", echo.WrapHandler(device))
	group.PUT("/user/pin", func(c *echo.Context) error {
		jsonapi.WriteError(c.Response(), c.Request(), changePIN(c.Request()), config)
		return nil
	})
	return router
}
