package server_test

import (
	"diag405/plugin"
	"diag405/plugin/server"
)

// What is measured is diag405 itself.
func init() { server.MeasureThese(plugin.Constructor(""), plugin.LogConstructor()) }
