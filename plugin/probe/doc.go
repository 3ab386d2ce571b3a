// Package probe asks an upstream which methods its paths take.
//
// [Prober.Ask] sends OPTIONS (RFC 9110 section 9.3.7) for a handful of paths and
// says of each what the answer is worth. The answers confirm or refute what was
// concluded from a 405; without any the conclusion is merely less certain.
//
// # What an answer is worth
//
//	answer to OPTIONS             what is known of the path
//	2xx with Allow                takes these methods and no other
//	405 with Allow                takes these methods; no other, unless it may be Starlette's
//	404, 410                      is not there, if this upstream is known to tell so
//	3xx to a path of its own      nothing, but the path led to may be the one meant
//	2xx or 405 without Allow      nothing
//	anything else, or no answer   nothing
//
// Access-Control-Allow-Methods is not read: it is a policy for browsers, which
// most applications state once for all of their paths.
//
// Many servers answer OPTIONS without looking at the path (Apache, IIS, Tomcat's
// default servlet, gateways), and others do not answer it where they have a path
// (Fastify, Rails). So two more paths are asked to learn how far the others can be
// trusted:
//
//   - [ControlPath], which no application has. A method that is listed there too
//     says nothing of any path, and without an answer there nothing is believed.
//   - The path that just answered 405. It exists: when OPTIONS says 404 there, a
//     404 says nothing. It refused a method: when OPTIONS lists that method, Allow
//     says nothing.
//
// Starlette, and so FastAPI, names in Allow only the methods of the first route
// that has the path. What such an Allow lists is taken, and what it leaves out is
// not known.
//
// # What the upstream gets
//
// A probe is OPTIONS with Host, User-Agent: diag405, the guard [GuardHeader] and
// Connection: close. Nothing of the client goes with it: no header, no
// credentials, no query, no body. Redirects are not followed. It goes to the one
// address that is given and to no other, past any proxy of the environment.
package probe
