// Package probe asks an upstream which methods its paths take.
//
// [Prober.Ask] sends OPTIONS (RFC 9110 section 9.3.7) for a handful of paths and
// says of each what the answer is worth. The answers confirm or refute what was
// concluded from a 405; without any the conclusion is merely less certain.
//
// # What an answer is worth
//
// Alone it is worth little: a page for every path answers everything, many servers
// answer OPTIONS without looking at the path (Apache, IIS, Tomcat's default servlet,
// gateways), and a route such as /orders/{id} takes any name. So beside each path a
// made-up one is asked, as deep, with [ControlName] in place of its last name.
//
//	the path                      beside it              so the path
//	2xx with Allow                404                    takes these methods and no other
//	405 with Allow                404                    the same, unless it may be Starlette's
//	405 without Allow             404                    is there
//	with Allow                    with a shorter Allow   takes what is only in its own
//	404, 410                      404                    is not there, if this server tells so
//	the same                      the same               is nothing of its own
//	anything else, or no answer   whatever               is not known
//
// Access-Control-Allow-Methods is not read: it is a policy for browsers, which
// most applications state once for all of their paths.
//
// Others do not answer OPTIONS where they have a path (Fastify, Rails). The path that
// was just refused with 405 shows it: it exists, so when OPTIONS says 404 there, a 404
// says nothing. And it refused a method: when OPTIONS lists that method, no Allow is
// believed.
//
// Starlette, and so FastAPI, names in Allow only the methods of the first route
// that has the path. What such an Allow lists is taken, and what it leaves out is
// not known.
//
// # What the upstream gets
//
// A probe is OPTIONS (with Question.Safe also HEAD or GET, where that was refused) with
// Host, User-Agent: diag405, the guard [GuardHeader] and Connection: close. Nothing of
// the client goes with it: no header, no credentials, no query, no body. Redirects are
// not followed. It goes to the one address that is given and to no other, past any
// proxy of the environment.
package probe
