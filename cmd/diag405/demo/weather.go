package demo

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// startWeather starts the application of the founding case on a free loopback
// port, for people who have no Python at hand: the routes of examples/fastapi,
// answered as that one answers.
func startWeather() (url string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("starting the application: %w", err)
	}
	app := &http.Server{Handler: http.HandlerFunc(weather)}
	go func() { _ = app.Serve(listener) }() // ends with Close
	return "http://" + listener.Addr().String(), func() { _ = app.Close() }, nil
}

// weather has one method a path, as the routes of the founding case have.
func weather(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "weather")
	location, isGet := strings.CutPrefix(r.URL.Path, "/api/getWeather/")
	switch {
	case r.URL.Path == "/":
		only(w, r, http.MethodGet, map[string]any{"status": "ok"})
	case r.URL.Path == weatherPath:
		only(w, r, http.MethodPost, map[string]any{"saved": true})
	case isGet && location != "" && !strings.Contains(location, "/"):
		only(w, r, http.MethodGet, map[string]any{"location": location, "temperature": 25})
	default:
		answer(w, http.StatusNotFound, map[string]any{"detail": "Not Found"})
	}
}

func only(w http.ResponseWriter, r *http.Request, method string, body map[string]any) {
	if r.Method != method {
		w.Header().Set("Allow", method)
		answer(w, http.StatusMethodNotAllowed, map[string]any{"detail": "Method Not Allowed"})
		return
	}
	answer(w, http.StatusOK, body)
}

func answer(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
