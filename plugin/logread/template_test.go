package logread

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"diag405/plugin/diagnose"
)

func TestAppendRequest(t *testing.T) {
	api := diagnose.NewAPI([]diagnose.Endpoint{
		{Path: "/users/{name}", Methods: []string{"GET"}}, {Path: "/users/{name}/orders/{order}", Methods: []string{"GET"}}, {Path: "/users/me", Methods: []string{"GET"}},
	})
	for request, want := range map[string]string{
		"POST http://weather:8900/a/b?x=1": "POST /a/b",
		"POST http://weather:8900":         "POST /",
		"POST /a?u=http://b/c":             "POST /a",
		"POST /a":                          "POST /a",
		"POST":                             "POST",
		"":                                 "",

		"GET /items/7":               "GET /items/{id}",
		"GET /items/7/":              "GET /items/{id}/",
		"GET /items/7.json":          "GET /items/{id}.json",
		"GET //7//8":                 "GET //{id}//{id}",
		"GET /orders/2026-11-25/1.5": "GET /orders/{id}/{id}",
		"GET /f/9f8b2c1d-1a2b-4c3d-8e9f-0123456789ab/x":       "GET /f/{uuid}/x",
		"GET /f/9F8B2C1D-1A2B-4C3D-8E9F-0123456789AB":         "GET /f/{uuid}",
		"GET /o/507f1f77bcf86cd799439011":                     "GET /o/{id}",
		"GET /o/01ARZ3NDEKTSV4RRFFQ69G5FAV":                   "GET /o/{id}",
		"GET /v1/api2/oauth2/feedback/deadbeef/my-app-2/a1b2": "GET /v1/api2/oauth2/feedback/deadbeef/my-app-2/a1b2",
		"GET /a%2F7/é1/.well-known/x.509":                     "GET /a%2F7/é1/.well-known/x.509",
		"GET /internationalization-of-things":                 "GET /internationalization-of-things",
		"GET /-/1-":                                           "GET /-/1-",
	} {
		assert.Equal(t, want, string(appendRequest(nil, []byte(request), nil)), request)
	}
	for request, want := range map[string]string{
		"GET /users/ann":           "GET /users/{name}",
		"GET /users/me":            "GET /users/me",
		"GET /users/ann/orders/x7": "GET /users/{name}/orders/{order}",
		"GET /others/7":            "GET /others/{id}",
	} {
		assert.Equal(t, want, string(appendRequest(nil, []byte(request), api)), request)
	}
}
