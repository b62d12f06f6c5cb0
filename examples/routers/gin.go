package routers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"example.com/devicetotp/devicetotp/jsonapi"
)

// Gin returns an engine of gin that serves what [NetHTTP] does. Any takes every
// method, so that the endpoints themselves answer those they do not have.
func Gin(devices, device http.Handler, config jsonapi.Config) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	group := router.Group("/user/:version")
	group.Any("/user/devices/totp", gin.WrapH(devices))
	group.Any("/user/devices/totp/:id", gin.WrapH(device))
	group.PUT("/user/pin", func(c *gin.Context) {
		jsonapi.WriteError(c.Writer, c.Request, changePIN(c.Request), config)
	})
	return router
}
