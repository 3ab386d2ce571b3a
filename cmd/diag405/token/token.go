// Package token is the command that makes a credential for X-Diag-Token.
package token

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"diag405/cmd/diag405/cli"
	"diag405/plugin/token"
)

const usage = `Usage: diag405 token -key-file FILE [flags]

Makes a credential that shows all of diag405's headers to who sends it as
X-Diag-Token, where the plugin's token_key is the text in FILE. It ends by itself,
and is of no use for anything else.

  -key-file FILE   the key, at least 32 bytes; - for stdin. White space at its ends is
                   no part of it
  -ttl DURATION    how long it is good for, from 1s to 720h (default 1h)
  -route NAME      only on this route, by name or id
  -service NAME    only on routes of this service, by name or id

Example:
  head -c 32 /dev/urandom | base64 > key
  curl -i -X POST https://api.example/orders -H "X-Diag-Token: $(diag405 token -key-file key -ttl 15m -route orders)"
`

// options are the flags.
type options struct {
	keyFile string
	ttl     time.Duration
	scope   token.Scope
}

// Run prints one token, and returns the exit code.
func Run(args []string, std cli.Streams) int {
	o, err := parse(args)
	if err != nil {
		return std.BadArguments("token", usage, err)
	}
	text, err := o.make(std.In, time.Now())
	if err != nil {
		return std.Cannot("token: %v", err)
	}
	if _, err := fmt.Fprintln(std.Out, text); err != nil {
		return std.Cannot("token: printing: %v", err)
	}
	return cli.OK
}

func parse(args []string) (options, error) {
	var o options
	flags := cli.NewFlags("token")
	flags.StringVar(&o.keyFile, "key-file", "", "")
	flags.DurationVar(&o.ttl, "ttl", time.Hour, "")
	flags.StringVar(&o.scope.Route, "route", "", "")
	flags.StringVar(&o.scope.Service, "service", "", "")
	err := cli.ParseFlags(flags, args)
	switch {
	case err != nil:
	case o.keyFile == "":
		err = errors.New("-key-file is missing")
	case o.ttl < time.Second || o.ttl > token.MaxLife:
		err = fmt.Errorf("-ttl %v is not from 1s to %.0fh", o.ttl, token.MaxLife.Hours())
	}
	return o, err
}

// make makes a token that is good from now on.
func (o options) make(stdin io.Reader, now time.Time) (string, error) {
	key, err := cli.ReadInput(o.keyFile, stdin)
	if err != nil {
		return "", fmt.Errorf("reading the key: %w", err)
	}
	return token.Make(strings.TrimSpace(string(key)), token.Token{Expires: now.Add(o.ttl), Scope: o.scope}, now)
}
