// Package realkong runs a real Kong that is installed on this machine as a
// [gateway.Gateway]: without a database, with one worker, in a folder of its own.
package realkong

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"diag405/kong/gateway"
)

// Bounds of a real Kong's life. The first two hold where the caller's context
// has no deadline of its own.
var (
	startBound = 30 * time.Second
	loadBound  = 30 * time.Second
	stopBound  = 10 * time.Second // for nginx, and then for what it left, to end when asked
)

// kong is a real Kong: one foreground "kong start", in its own folder and
// its own process group.
type kong struct {
	home    *home
	process *process
	log     *logCopy
	mark    mark
	client  *http.Client

	loading sync.Mutex // one Load at a time
	closing sync.Once
	closed  error
}

// Command is the path of a kong command.
type Command string

// Start starts Kong with an empty configuration. The context bounds the start
// only; without a deadline of its own it ends after 30 seconds.
func (c Command) Start(ctx context.Context, o gateway.Options) (gateway.Gateway, error) {
	command, err := find(string(c))
	if err != nil {
		return nil, err
	}
	ctx, cancel := bounded(ctx, startBound)
	defer cancel()
	home, err := newHome(o)
	if err != nil {
		return nil, fmt.Errorf("preparing kong %q: %w", command, err)
	}
	k := &kong{home: home, mark: newMark(), client: newClient()}
	if err := k.start(ctx, command, o.ErrorLog); err != nil {
		words := home.lastWords()
		return nil, errors.Join(fmt.Errorf("starting kong %q: %w%s", command, err, words), k.Close())
	}
	return k, nil
}

// find finds the command and makes its path absolute, because Kong runs
// in another folder.
func find(path string) (string, error) {
	found, err := exec.LookPath(path)
	if err == nil {
		found, err = filepath.Abs(found)
	}
	var why *exec.Error
	if errors.As(err, &why) {
		err = why.Err
	}
	if err != nil {
		return "", fmt.Errorf("kong command %q: %w", path, err)
	}
	return found, nil
}

func bounded(ctx context.Context, bound time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, bound)
}

func newClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{}, // no proxy, whatever the environment says
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func urlOf(address, path string) *url.URL {
	return &url.URL{Scheme: "http", Host: address, Path: path}
}

func (k *kong) start(ctx context.Context, command string, errorLog io.Writer) error {
	var err error
	if k.log, err = followLog(k.home.errorLog(), errorLog, k.mark.path); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if k.process, err = k.home.run(command); err != nil {
		return err
	}
	return k.process.poll(ctx, func(ctx context.Context) (bool, error) {
		err := k.ready(ctx)
		return err == nil, err
	})
}

// ready tells what is still missing. Kong's Admin API answers before the plugin
// servers, which a worker starts in a timer, listen; a request that comes in
// between gets a 500.
func (k *kong) ready(ctx context.Context) error {
	resp, err := k.get(ctx, &http.Request{URL: urlOf(k.home.admin, "/status")})
	if err != nil {
		return fmt.Errorf("the Admin API does not answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the Admin API answers GET /status with %s", resp.Status)
	}
	for _, p := range k.home.plugins {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", p.socket)
		if err != nil {
			return fmt.Errorf("plugin server %q does not listen: %w", p.name, err)
		}
		conn.Close()
	}
	return nil
}

// get sends r and drops the answer's body. One attempt is short, so that a hung
// one does not use up the time of all.
func (k *kong) get(ctx context.Context, r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	resp, err := k.client.Do(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp, err
}

func (k *kong) URL() string { return urlOf(k.home.proxy, "").String() }

func (k *kong) AdminURL() string { return urlOf(k.home.admin, "").String() }

func (k *kong) Close() error {
	k.closing.Do(func() { k.closed = k.close() })
	return k.closed
}

func (k *kong) close() error {
	var errs []error
	k.client.CloseIdleConnections()
	if k.process != nil {
		errs = append(errs, k.process.stop(k.home.pidFile()))
	}
	if k.log != nil {
		errs = append(errs, k.log.close())
	}
	return errors.Join(append(errs, os.RemoveAll(k.home.dir))...)
}
