package realkong

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Load sends the configuration with a route of our own in it, and waits until
// that route answers with the token of this very Load. Kong's answer to POST
// /config comes before: it only means that the configuration is stored, and that
// the worker was sent an event to build its router and plugins from it
// (kong/api/routes/config.lua, kong/db/declarative/import.lua). The worker then
// swaps router and plugins without yielding in between, having dropped the old
// balancers before (reconfigure_handler in kong/runloop/handler.lua).
func (k *kong) Load(ctx context.Context, declarative []byte) error {
	k.loading.Lock()
	defer k.loading.Unlock()
	ctx, cancel := bounded(ctx, loadBound)
	defer cancel()
	token := newToken()
	document, err := addRoute(declarative, k.mark.route(token))
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	if err := k.process.poll(ctx, func(ctx context.Context) (bool, error) {
		return k.post(ctx, document)
	}); err != nil {
		return fmt.Errorf("loading the configuration into kong: %w", err)
	}
	if err := k.process.poll(ctx, func(ctx context.Context) (bool, error) {
		return k.inForce(ctx, token)
	}); err != nil {
		return fmt.Errorf("waiting for kong to put the configuration in force: %w", err)
	}
	return nil
}

// post hands a configuration to Kong and tells whether that was the last word.
// Kong tries JSON and then YAML on the text in "config".
func (k *kong) post(ctx context.Context, document []byte) (final bool, err error) {
	body, err := json.Marshal(map[string]string{"config": string(document)})
	if err != nil {
		return true, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, urlOf(k.home.admin, "/config").String(), bytes.NewReader(body))
	if err != nil {
		return true, err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := k.client.Do(r)
	if err != nil {
		return false, err // tried again, unless Kong turns out to have ended
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return false, err
	}
	if resp.StatusCode == http.StatusCreated {
		return true, nil
	}
	// 429: it is still busy with the configuration before.
	return resp.StatusCode != http.StatusTooManyRequests, refusal(resp.Status, answer)
}

func (k *kong) inForce(ctx context.Context, token string) (bool, error) {
	resp, err := k.get(ctx, k.mark.request(k.home.proxy))
	if err != nil {
		return false, err
	}
	if got := resp.Header.Get(markHeader); got != token {
		return false, fmt.Errorf("kong accepted it, but its own route answers %s and not with the new token", resp.Status)
	}
	return true, nil
}

// refusal is Kong's answer to a configuration that it does not take. The
// errors by field are said one by one; Kong's message has them in Lua's notation
// behind its first words.
func refusal(status string, body []byte) error {
	var answer struct {
		Message string
		Fields  any
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Message == "" {
		return fmt.Errorf("kong answers %s: %.200q", status, body)
	}
	fields := fieldErrors("", answer.Fields)
	if fields == nil {
		return fmt.Errorf("kong answers %s: %s", status, answer.Message)
	}
	what, _, _ := strings.Cut(answer.Message, ": {")
	return fmt.Errorf("kong answers %s: %s: %s", status, what, strings.Join(fields, "; "))
}

// fieldErrors lists the errors in nested fields with their paths, such as
// routes[0].paths[1]: should start with: /. Entries in order are null.
func fieldErrors(path string, fields any) []string {
	var list []string
	switch f := fields.(type) {
	case nil:
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(f)) {
			list = append(list, fieldErrors(strings.TrimPrefix(path+"."+key, "."), f[key])...)
		}
	case []any:
		for i, entry := range f {
			list = append(list, fieldErrors(fmt.Sprintf("%s[%d]", path, i), entry)...)
		}
	default:
		list = append(list, fmt.Sprintf("%s: %v", path, f))
	}
	return list
}
