package lint

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"diag405/kong/config"
	"diag405/kong/forecast"
)

// bufferedAnswers: what diag405 does to every answer in its scope, whatever its status
// (Kong.response in kong/init.lua), is worth it on a route that somebody looks into.
func bufferedAnswers(s *subject) []Finding {
	var findings []Finding
	for _, p := range s.cfg.Plugins {
		if p.Name != forecast.Own || !p.Enabled || p.ForSome() {
			continue
		}
		why := "Kong merges two WWW-Authenticate headers of an answer, drops Accept-Ranges and Via, and completes a 200 that is cut off"
		if p.Route != nil || p.Service != nil {
			r, sign := s.streaming(p)
			if r == nil {
				continue
			}
			why = routeObject(r).String() + " streams: " + sign
		}
		findings = append(findings, Finding{
			Object:   pluginObject(p),
			Sentence: fmt.Sprintf("for %s it has Kong read each answer whole before anything of it goes out, and %s", scope(p), why),
			Fix:      Fix{Words: "put it on the route that you look into, and diag405-log on what it is to watch all the time"},
		})
	}
	return findings
}

// streaming is a route in a plugin's scope whose answers come piece by piece, and what
// says so; nil for none.
func (s *subject) streaming(p *config.Plugin) (*config.Route, string) {
	for _, r := range s.cfg.Routes {
		if r.Service == nil || p.Route != nil && r != p.Route || p.Service != nil && r.Service != p.Service {
			continue
		}
		if sign := s.streams(r); sign != "" {
			return r, sign
		}
	}
	return nil, ""
}

// longAnswer is how long only an answer takes that comes piece by piece, or is waited
// for. Kong's own read_timeout is a minute.
const longAnswer = 10 * time.Minute

// streams says what speaks for a stream on a route, "" for nothing.
func (s *subject) streams(r *config.Route) string {
	if !r.ResponseBuffering {
		return "its response_buffering is off"
	}
	if p := find(s.plugins(r), func(p *config.Plugin) bool {
		known, _ := forecast.Known(p.Name)
		return known.Buffers == forecast.BuffersUnasked
	}); p != nil {
		return "plugin " + p.Name + " passes streams on where a request asks for one"
	}
	for _, path := range r.Paths {
		if word := streamWord(path); word != "" {
			return "its path has " + word
		}
	}
	if wait := time.Duration(r.Service.ReadTimeout) * time.Millisecond; wait >= longAnswer {
		return fmt.Sprintf("the service's read_timeout is %v", wait)
	}
	return ""
}

// streamWords are segments by which people name what sends a stream. Events alone are a
// resource as often.
var streamWords = []string{"sse", "stream", "streams", "streaming", "event-stream", "completions"}

func streamWord(path string) string {
	for segment := range strings.SplitSeq(strings.TrimRight(path, "$"), "/") {
		if slices.Contains(streamWords, strings.ToLower(segment)) {
			return segment
		}
	}
	return ""
}
