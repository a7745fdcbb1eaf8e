# What Envoy's users start from: a role from a token that was verified before, and rules on method and path.
package bench

import rego.v1

default allow := false

request := input.attributes.request.http

allow if {
	input.parsed_path[0] == "health"
}

allow if {
	some rule in grants[claims.role]
	rule.method == request.method
	startswith(request.path, rule.prefix)
}

claims := payload if {
	[kind, token] := split(request.headers.authorization, " ")
	kind == "Bearer"
	[_, encoded, _] := split(token, ".")
	payload := json.unmarshal(base64url.decode(encoded))
}

grants := {
	"guest": [{"method": "GET", "prefix": "/people"}],
	"admin": [
		{"method": "GET", "prefix": "/people"},
		{"method": "POST", "prefix": "/people"},
		{"method": "DELETE", "prefix": "/people"},
	],
}
