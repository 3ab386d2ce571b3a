package diagnose

import (
	"net/http"
	"slices"
)

// Offers is what is known of the upstream, from a probe, an OpenAPI document or
// traffic. Its zero value knows nothing.
type Offers struct {
	// Paths are single paths that were asked for or seen in use.
	Paths map[string]Offer
	// API is everything that the application says it offers, nil when it says
	// nothing. A path that nothing in it matches is known not to exist.
	API *API
	// Redirected is what became of an earlier request of the same client: it was
	// redirected to the very URL which was refused now. Nil when none is remembered.
	Redirected *Redirect
}

// Redirect is an answer that a client follows with another method (RFC 9110 sections
// 15.4.2 to 15.4.4).
type Redirect struct {
	Method string // of the request that was redirected
	Status int    // 301, 302 or 303
}

// Presence is whether a path is there, which is told by asking a path beside it
// that cannot be there.
type Presence int

// What is known of a path.
const (
	NotAsked Presence = iota // or the answer does not tell
	Present                  // it is answered otherwise than a path beside it that cannot exist
	Absent                   // the upstream tells what is there from what is not, and this is not
	// Anywhere: it is answered just as a path beside it that cannot exist, and not as
	// missing: by a page for every path, or by a placeholder that takes any name.
	Anywhere
)

// Offer is what is known of one path.
type Offer struct {
	Methods []string // what it takes; none for a path that does not exist
	// Complete says that nothing but the methods listed is taken. Some frameworks
	// name only a part of what a path takes.
	Complete bool
	// Doubtful methods were named where paths that do not exist have them too: not
	// known to be taken, nor to be refused.
	Doubtful []string
	Presence Presence
}

// Takes reports whether the method is known to be taken.
func (o Offer) Takes(method string) bool { return slices.Contains(o.Methods, method) }

// Refuses reports whether the method is known not to be taken.
func (o Offer) Refuses(method string) bool {
	return o.Presence == Absent || o.Complete && !o.Takes(method) && !slices.Contains(o.Doubtful, method)
}

// At is what is known of a path, and whether anything is. What an application was
// seen to do comes before what its document says; of what it did not say, the
// document speaks.
func (o Offers) At(path string) (offer Offer, known bool) {
	asked, known := o.Paths[path]
	if asked.tells() || o.API == nil {
		return asked, known
	}
	offer, _ = o.documented(path)
	if asked.Presence != NotAsked {
		offer.Presence = asked.Presence
	}
	return offer, true
}

// Add notes a request that the upstream was seen to take.
func (o *Offers) Add(l Line) {
	offer := o.Paths[l.Path]
	if offer.Takes(l.Method) {
		return
	}
	offer.Methods = append(slices.Clone(offer.Methods), l.Method)
	if o.Paths == nil {
		o.Paths = map[string]Offer{}
	}
	o.Paths[l.Path] = offer
}

// tells reports whether anything is known of the path's methods.
func (o Offer) tells() bool { return len(o.Methods) > 0 || o.Complete }

// documented is what the API says of a path, and whether there is an API.
func (o Offers) documented(path string) (offer Offer, known bool) {
	if o.API == nil {
		return Offer{}, false
	}
	// Documents seldom name the methods that frameworks add by themselves.
	offer = Offer{Complete: true, Doubtful: []string{http.MethodHead, http.MethodOptions}}
	matching, above := o.API.find(path)
	for _, t := range matching {
		if t.vague {
			offer.Doubtful = append(offer.Doubtful, t.Methods...)
			continue
		}
		offer.Methods = append(offer.Methods, t.Methods...)
		offer.Presence = Present
	}
	// A placeholder at the end may stand for several segments: FastAPI writes its
	// {name:path} as {name}.
	offer.Complete = len(above) == 0
	return offer, true
}

// has reports whether the API has an endpoint for this very path, and not just one
// that any path leads to.
func (o Offers) has(path string) bool {
	matching, _ := o.API.find(path)
	return slices.ContainsFunc(matching, func(t *template) bool { return !t.vague })
}

// describes reports whether the API has a path: if it does not have the one that
// the upstream just answered for, it is written from another point of view.
func (o Offers) describes(path string) bool {
	matching, above := o.API.find(path)
	return len(matching)+len(above) > 0
}
