package explain

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"diag405/cmd/diag405/cli"
	"diag405/cmd/diag405/curl"
	"diag405/cmd/diag405/source"
	"diag405/kong/forecast"
	"diag405/kong/router"
	"diag405/plugin/diagnose"
)

// options are the flags.
type options struct {
	config         cli.Texts
	source         source.Flags
	host, scheme   string
	consumer       string
	requestHeaders cli.Texts
	status         int
	allow          *string // nil: the answer has no Allow
	answerHeaders  cli.Texts
	record, paste  bool
	probe          bool
	openAPI, form  string
	words          []string // METHOD PATH
	asked          forecast.Request
	answer         Answer
}

func parse(args []string, std cli.Streams) (*options, error) {
	o := &options{}
	flags := cli.NewFlags("explain")
	flags.Var(&o.config, "config", "")
	o.source.Add(flags)
	flags.StringVar(&o.consumer, "consumer", "", "")
	flags.StringVar(&o.host, "host", "", "")
	flags.StringVar(&o.scheme, "scheme", "", "")
	flags.Var(&o.requestHeaders, "H", "")
	flags.IntVar(&o.status, "status", 0, "")
	flags.Func("allow", "", func(s string) error { o.allow = &s; return nil })
	flags.Var(&o.answerHeaders, "header", "")
	flags.BoolVar(&o.record, "record", false, "")
	flags.BoolVar(&o.paste, "answer", false, "")
	flags.BoolVar(&o.probe, "probe", false, "")
	flags.StringVar(&o.openAPI, "openapi", "", "")
	flags.StringVar(&o.form, "o", "text", "")
	own, others := cli.Own(flags, args, curl.IsCommand)
	words, err := cli.Parse(flags, own)
	if err == nil && curl.IsCommand(others) {
		err = o.readCommand(others, std)
	} else if err == nil {
		words, err = cli.Parse(flags, others)
	}
	if err != nil {
		return nil, err
	}
	if err := o.check(words); err != nil {
		return nil, err
	}
	return o, nil
}

// readCommand takes the request from a curl command.
func (o *options) readCommand(words []string, std cli.Streams) error {
	r, err := curl.Parse(words, std.In)
	if err != nil {
		return err
	}
	if o.host != "" || o.scheme != "" || len(o.requestHeaders) > 0 {
		return errors.New("-host, -scheme and -H are for METHOD PATH: a curl command has its own")
	}
	o.asked = r.Asked()
	return nil
}

// check checks the flags against each other, and reads what they hold.
func (o *options) check(words []string) error {
	if err := cli.TextOrJSON(o.form); err != nil {
		return err
	}
	if len(o.config) > 0 && o.source.Admin != "" {
		return errors.New("-config and -admin are two configurations; want one")
	}
	if err := o.source.Check(); err != nil {
		return err
	}
	switch o.words = words; {
	case o.record:
		return o.checkRecord()
	case o.paste:
		return o.checkPasted()
	case !o.isConfigured():
		return errors.New("want a configuration: -config FILE or -admin URL")
	}
	if err := o.readRequest(words); err != nil {
		return err
	}
	return o.readAnswer()
}

func (o *options) isConfigured() bool { return len(o.config) > 0 || o.source.Admin != "" }

// checkRecord: a record brings the request and the answer along.
func (o *options) checkRecord() error {
	switch {
	case o.paste:
		return errors.New("-record and -answer both read stdin; want one")
	case len(o.words) > 0:
		return fmt.Errorf("unexpected argument %q: -record brings the request along", o.words[0])
	case o.asked.Method != "":
		return errors.New("unexpected curl command: -record brings the request along")
	}
	return o.checkStdin("-record")
}

// checkPasted: what is pasted is the answer, and may say what was asked.
func (o *options) checkPasted() error {
	if len(o.words) > 0 {
		if err := o.readRequest(o.words); err != nil {
			return err
		}
	}
	return o.checkStdin("-answer")
}

// checkStdin: the answer comes from stdin.
func (o *options) checkStdin(flag string) error {
	switch {
	case o.status != 0 || o.allow != nil || len(o.answerHeaders) > 0:
		return fmt.Errorf("-status, -allow and -header describe an answer: %s brings its own along", flag)
	case slices.Contains(o.config, "-"):
		return fmt.Errorf("%s reads stdin, so the configuration cannot come from there", flag)
	case o.probe && !o.isConfigured():
		return errors.New("-probe asks the service that a configuration names: want -config FILE or -admin URL")
	}
	return nil
}

// readRequest reads METHOD PATH and what belongs to the request.
func (o *options) readRequest(words []string) error {
	if o.asked.Method != "" { // a curl command's
		if len(words) > 0 {
			return fmt.Errorf("unexpected argument %q in front of the curl command", words[0])
		}
		return nil
	}
	if len(words) != 2 {
		return fmt.Errorf("want METHOD PATH, got %q", words)
	}
	method, target := words[0], words[1]
	if method == "" || strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "" {
		return fmt.Errorf("METHOD %q is not upper case letters, such as POST", method)
	}
	if strings.ContainsAny(target, " \t\r\n") {
		return fmt.Errorf("PATH %q has white space, which no request line can carry", target)
	}
	header, err := source.Headers("-H", o.requestHeaders)
	if err != nil {
		return err
	}
	o.asked = forecast.Request{Method: method, Target: target, Host: o.host, Scheme: o.scheme, Header: header}
	if err := readURL(&o.asked); err != nil {
		return err
	}
	o.asked.Host = cmp.Or(o.asked.Host, header.Get("Host"), "localhost")
	o.asked.Scheme = cmp.Or(o.asked.Scheme, "http")
	header.Del("Host")
	if !slices.Contains([]string{"http", "https"}, o.asked.Scheme) {
		return fmt.Errorf("-scheme %q is not http or https", o.asked.Scheme)
	}
	return nil
}

// readURL takes scheme and host out of a target that is a whole URL.
func readURL(r *forecast.Request) error {
	if strings.HasPrefix(r.Target, "/") {
		return nil
	}
	u, err := url.Parse(r.Target)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return fmt.Errorf("PATH %q should start with /, or be a whole URL", r.Target)
	}
	r.Scheme, r.Host = cmp.Or(r.Scheme, u.Scheme), cmp.Or(r.Host, u.Host)
	uri, _ := router.OriginForm(r.Target)
	r.Target = "/" + strings.TrimPrefix(uri, "/") // which clients put in front of a query
	return nil
}

// readAnswer reads the answer that somebody pasted.
func (o *options) readAnswer() error {
	if o.status == 0 {
		if o.allow != nil || len(o.answerHeaders) > 0 {
			return errors.New("-allow and -header describe an answer: want its -status, too")
		}
		return nil
	}
	if !diagnose.Explains(o.status) {
		return fmt.Errorf("-status %d: diag405 explains 405 and 404", o.status)
	}
	header, err := source.Headers("-header", o.answerHeaders)
	if err != nil {
		return err
	}
	if o.allow != nil {
		header.Set("Allow", *o.allow)
	}
	o.answer = Answer{Response: diagnose.Response{Status: o.status, Header: header}}
	return nil
}
