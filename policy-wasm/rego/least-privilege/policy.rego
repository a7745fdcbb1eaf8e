# METADATA
# title: Least privilege
# description: |
#   Picks, for each request, the weakest of the route's credentials that serves it, and asks for no more scopes than the
#   request needs. The grants stand in data.json, weakest first; what no grant covers is denied.
package claviger.authz

import rego.v1

default decision := {
	"allow": false,
	"rule": "no-grant",
	"reason": "no grant covers this request",
	"hint": "ask the policy's owner for a grant with this method and path",
}

decision := {
	"allow": true,
	"rule": grant.name,
	"reason": grant.reason,
	"credential": grant.credential,
	"scopes": grant.scopes,
} if {
	grant := usable[0]
}

decision := {
	"allow": false,
	"rule": covering[0].name,
	"reason": "the route does not offer the credential that this request needs",
} if {
	count(covering) > 0
	count(usable) == 0
}

# Grants for the request, weakest first.
covering := [grant |
	some grant in data.claviger.grants
	input.request.method in grant.methods
	path_fits(grant.path)
]

usable := [grant |
	some grant in covering
	grant.credential in input.route.credentials
]

# `*` stands for one segment, `**` at the end for any number of further ones.
path_fits(pattern) if {
	count(pattern) == count(input.request.segments)
	segments_fit(pattern)
}

path_fits(pattern) if {
	last := count(pattern) - 1
	pattern[last] == "**"
	count(input.request.segments) >= last
	segments_fit(array.slice(pattern, 0, last))
}

segments_fit(pattern) if {
	every index, part in pattern {
		part in {"*", input.request.segments[index]}
	}
}
