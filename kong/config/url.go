package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
)

// setURL spreads a url over protocol, host, port and path. The port defaults to
// 443 for https and to 80 for everything else, as in Kong.
func (s *Service) setURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return fmt.Errorf("%q is not a url: %w", raw, errors.Unwrap(err))
	}
	if u.Scheme == "" || u.Hostname() == "" {
		return fmt.Errorf("%q should be scheme://host[:port][/path]", raw)
	}
	s.Protocol, s.Host, s.Path = u.Scheme, u.Hostname(), u.EscapedPath()
	s.Port = 80
	if u.Scheme == "https" {
		s.Port = 443
	}
	if port := u.Port(); port != "" {
		if s.Port, err = strconv.Atoi(port); err != nil || s.Port > 65535 {
			return fmt.Errorf("%q has a port outside 0..65535", raw)
		}
	}
	if s.Path == "" {
		return nil
	}
	return checkServicePath(s.Path)
}

// changeURL replaces one part of a url, which Parse has found good.
func changeURL(raw, field string, value any) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", err
	}
	text, err := urlPart(value)
	if err != nil {
		return "", err
	}
	host, port := u.Hostname(), u.Port()
	switch field {
	case "protocol":
		u.Scheme = text
	case "host":
		host = text
	case "port":
		port = text
	case "path":
		if u.Path, err = url.PathUnescape(text); err != nil {
			return "", err
		}
		u.RawPath = text
	}
	u.Host = host
	if port != "" {
		u.Host = net.JoinHostPort(host, port)
	}
	return u.String(), nil
}

func urlPart(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case int:
		return strconv.Itoa(v), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	}
	return "", fmt.Errorf("%v is neither a string nor a number", value)
}
